locals {
  roles = { for role in jsondecode(file("${path.module}/../roles.json")) : role.key => role }

  # What Azure ML itself needs for a workspace whose identity is chosen and whose storage has no keys.
  workspace_roles = {
    storage  = { scope = azurerm_storage_account.this.id, role = "Contributor" }
    vault    = { scope = azurerm_key_vault.this.id, role = "Contributor" }
    registry = { scope = azurerm_container_registry.this.id, role = "Contributor" }
    insights = { scope = azurerm_application_insights.this.id, role = "Contributor" }
    blobs    = { scope = azurerm_storage_account.this.id, role = "Storage Blob Data Contributor" }
    files    = { scope = azurerm_storage_account.this.id, role = "Storage File Data Privileged Contributor" }
    secrets  = { scope = azurerm_key_vault.this.id, role = "Key Vault Administrator" }
    network  = { scope = azurerm_resource_group.this.id, role = "Azure AI Enterprise Network Connection Approver" }
  }

  service_roles = {
    compute_blobs     = { identity = "compute", scope = azurerm_storage_account.this.id, role = "Storage Blob Data Contributor" }
    compute_queues    = { identity = "compute", scope = azurerm_storage_account.this.id, role = "Storage Queue Data Contributor" }
    compute_tables    = { identity = "compute", scope = azurerm_storage_account.this.id, role = "Storage Table Data Contributor" }
    compute_images    = { identity = "compute", scope = azurerm_container_registry.this.id, role = "AcrPull" }
    compute_workspace = { identity = "compute", scope = azurerm_machine_learning_workspace.this.id, role = "AzureML Data Scientist" }
    endpoint_blobs    = { identity = "endpoint", scope = azurerm_storage_account.this.id, role = "Storage Blob Data Reader" }
    endpoint_images   = { identity = "endpoint", scope = azurerm_container_registry.this.id, role = "AcrPull" }
    endpoint_metrics  = { identity = "endpoint", scope = azurerm_machine_learning_workspace.this.id, role = "AzureML Metrics Writer (preview)" }
    deploy_blobs      = { identity = "deploy", scope = azurerm_storage_account.this.id, role = "Storage Blob Data Contributor" }
    deploy_endpoint   = { identity = "deploy", scope = azurerm_user_assigned_identity.this["endpoint"].id, role = "Managed Identity Operator" }
    deploy_metrics    = { identity = "deploy", scope = azurerm_resource_group.this.id, role = "Monitoring Reader" }
    monitor_tables    = { identity = "monitor", scope = azurerm_storage_account.this.id, role = "Storage Table Data Contributor" }
    monitor_secrets   = { identity = "monitor", scope = azurerm_key_vault.this.id, role = "Key Vault Secrets User" }
  }

  # In production people read, and what they change goes through the CI system; restricted data are read by nobody
  # who has not asked for it first.
  people_roles = local.is_production ? (local.production_standing_access ? {
    data_scientists  = { builtin = "Reader" }
    ml_engineers     = { builtin = "Reader" }
    model_validators = { builtin = "Reader" }
    endpoint_callers = { custom = "endpoint_caller" }
    } : {
    endpoint_callers = { custom = "endpoint_caller" }
    }) : {
    data_scientists  = { custom = "data_scientist" }
    ml_engineers     = { custom = "ml_engineer" }
    model_validators = { custom = "model_validator" }
    endpoint_callers = { custom = "endpoint_caller" }
  }
}

resource "azurerm_role_definition" "this" {
  for_each = local.roles

  name              = "${each.value.name} (${local.names.role})"
  description       = each.value.description
  scope             = azurerm_resource_group.this.id
  assignable_scopes = [azurerm_resource_group.this.id]

  permissions {
    actions      = each.value.actions
    not_actions  = each.value.not_actions
    data_actions = each.value.data_actions
  }
}

resource "azurerm_role_assignment" "workspace" {
  for_each = local.workspace_roles

  scope                = each.value.scope
  role_definition_name = each.value.role
  principal_id         = azurerm_user_assigned_identity.this["workspace"].principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "workspace_itself" {
  scope                = azurerm_machine_learning_workspace.this.id
  role_definition_name = "Contributor"
  principal_id         = azurerm_user_assigned_identity.this["workspace"].principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "encryption" {
  for_each = local.has_own_key ? toset(["encryption", "workspace"]) : toset([])

  scope                = var.encryption_key_vault_id
  role_definition_name = "Key Vault Crypto Service Encryption User"
  principal_id         = azurerm_user_assigned_identity.this[each.key].principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "services" {
  for_each = local.service_roles

  scope                = each.value.scope
  role_definition_name = each.value.role
  principal_id         = azurerm_user_assigned_identity.this[each.value.identity].principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "deploy" {
  scope              = azurerm_machine_learning_workspace.this.id
  role_definition_id = azurerm_role_definition.this["ci_deployer"].role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.this["deploy"].principal_id
  principal_type     = "ServicePrincipal"
}

resource "azurerm_role_assignment" "model_registry" {
  for_each = var.model_registry_id == null ? toset([]) : toset(["deploy", "compute", "endpoint"])

  scope                = var.model_registry_id
  role_definition_name = "AzureML Registry User"
  principal_id         = azurerm_user_assigned_identity.this[each.key].principal_id
  principal_type       = "ServicePrincipal"
}

# A release looks at what the environment before has validated.
resource "azurerm_role_assignment" "next_environment" {
  for_each = var.next_deploy_principal_id == null ? toset([]) : toset(["deploy"])

  scope                = azurerm_machine_learning_workspace.this.id
  role_definition_name = "Reader"
  principal_id         = var.next_deploy_principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "people" {
  for_each = { for group, role in local.people_roles : group => role if contains(keys(var.group_ids), group) }

  scope                = azurerm_machine_learning_workspace.this.id
  role_definition_name = try(each.value.builtin, null)
  role_definition_id   = try(azurerm_role_definition.this[each.value.custom].role_definition_resource_id, null)
  principal_id         = var.group_ids[each.key]
  principal_type       = "Group"
}
