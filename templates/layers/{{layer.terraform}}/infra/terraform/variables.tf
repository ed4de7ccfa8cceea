# Each variable but the first two is a value of infra/environments/*.yml.

variable "environment" {
  description = "Which environment this is."
  type        = string

  validation {
    condition     = contains(local.environments, var.environment)
    error_message = "The project has the environments ${join(", ", local.environments)}."
  }
}

variable "budget_start" {
  description = "First day of the month in which the budget starts, for example 2026-12-01T00:00:00Z."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{4}-(0[1-9]|1[0-2])-01T00:00:00Z$", var.budget_start))
    error_message = "A budget starts on the first day of a month, for example 2026-12-01T00:00:00Z."
  }
}

variable "subscription_id" {
  description = "Subscription that holds the environment."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$", var.subscription_id))
    error_message = "A subscription id is 32 hexadecimal digits in five groups."
  }
}

variable "compute_vm_size" {
  description = "Size of the cluster's nodes."
  type        = string
}

variable "compute_max_nodes" {
  description = "The most nodes that run at a time; none runs while there is nothing to do."
  type        = number

  validation {
    condition     = var.compute_max_nodes >= 1 && var.compute_max_nodes <= 100 && floor(var.compute_max_nodes) == var.compute_max_nodes
    error_message = "A cluster has 1 to 100 nodes at most."
  }
}

variable "monthly_budget" {
  description = "What the environment may cost in a month, in the subscription's currency."
  type        = number

  validation {
    condition     = var.monthly_budget > 0
    error_message = "A budget is more than nothing."
  }
}

variable "alert_emails" {
  description = "Who is told of failures and of costs."
  type        = list(string)

  validation {
    condition     = length(var.alert_emails) > 0
    error_message = "Somebody must be told: name one address at least."
  }
}

variable "allowed_ip_ranges" {
  description = "Public addresses that reach storage, vault and registry where the classification lets any."
  type        = list(string)
  default     = []
}

variable "group_ids" {
  description = "Object ids of the Entra groups of people, by role; a role without one has nobody."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.group_ids) : contains(["data_scientists", "ml_engineers", "model_validators", "endpoint_callers"], name)])
    error_message = "The groups are data_scientists, ml_engineers, model_validators and endpoint_callers."
  }
}

variable "ci_issuer" {
  description = "Who vouches for the CI system, as its own page shows it."
  type        = string
}

variable "ci_subjects" {
  description = "What the CI system calls itself in each of its environments, as its own page shows it, by a short name."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(var.ci_subjects) <= 20 && alltrue([for subject in values(var.ci_subjects) : !strcontains(subject, "*")])
    error_message = "An identity trusts at most 20 subjects, each in full: a wildcard would let in who is not meant."
  }
}

variable "model_registry_id" {
  description = "Resource id of the Azure ML registry that models go through; none leaves its roles out."
  type        = string
  default     = null
}

variable "next_deploy_principal_id" {
  description = "Object id of the identity deploy of the next environment, which reads what was validated here."
  type        = string
  default     = null
}

variable "online_endpoint_ids" {
  description = "Resource ids of online endpoints, which the CI system makes, by a short name."
  type        = map(string)
  default     = {}
}

variable "event_function_id" {
  description = "Resource id of the function that relays events, /functions/relay included; none leaves the subscription out."
  type        = string
  default     = null
}

variable "private_endpoint_subnet_id" {
  description = "Subnet for private endpoints, where the classification asks for them."
  type        = string
  default     = null
}

variable "private_dns_zone_ids" {
  description = "Private DNS zones by what they resolve: amlworkspace, blob, file, queue, table, vault, registry."
  type        = map(list(string))
  default     = {}
}

variable "encryption_key_id" {
  description = "Versioned id of the key that encrypts, where the classification asks for a key of one's own."
  type        = string
  default     = null
}

variable "encryption_key_vault_id" {
  description = "Resource id of the vault that holds the key."
  type        = string
  default     = null
}
