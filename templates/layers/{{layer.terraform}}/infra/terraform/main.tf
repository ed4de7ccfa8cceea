resource "azurerm_resource_group" "this" {
  name     = local.names.resource_group
  location = local.location
  tags     = local.tags
}

# One identity for each purpose, so that none can do what another is for.
resource "azurerm_user_assigned_identity" "this" {
  for_each = toset(concat(["workspace", "compute", "endpoint", "deploy", "monitor"], local.customer_managed_keys ? ["encryption"] : []))

  name                = "${local.names.identity}-${each.key}"
  location            = azurerm_resource_group.this.location
  resource_group_name = azurerm_resource_group.this.name
  tags                = local.tags
}

# The CI system signs in as `deploy` with a token of its own: there is no secret to keep.
resource "azurerm_federated_identity_credential" "ci" {
  for_each = var.ci_subjects

  name                      = each.key
  user_assigned_identity_id = azurerm_user_assigned_identity.this["deploy"].id
  issuer                    = var.ci_issuer
  audience                  = ["api://AzureADTokenExchange"]
  subject                   = each.value
}

resource "azurerm_container_registry" "this" {
  #checkov:skip=CKV_AZURE_139:where the classification permits it, the registry answers in public, to identities alone
  #checkov:skip=CKV_AZURE_164:content trust retires in 2028; images are pinned by digest instead
  #checkov:skip=CKV_AZURE_165:an environment stands in one region; models go to another through the Azure ML registry
  #checkov:skip=CKV_AZURE_166:quarantine holds each image back until a scanner releases it, which stops Azure ML's pulls
  name                          = local.names.container_registry
  location                      = azurerm_resource_group.this.location
  resource_group_name           = azurerm_resource_group.this.name
  sku                           = "Premium"
  admin_enabled                 = false
  anonymous_pull_enabled        = false
  public_network_access_enabled = local.service_public_access
  network_rule_bypass_option    = "AzureServices"
  export_policy_enabled         = local.service_public_access
  zone_redundancy_enabled       = true
  data_endpoint_enabled         = true
  retention_policy_in_days      = 30
  tags                          = local.tags

  dynamic "network_rule_set" {
    for_each = local.service_public_access ? ["listed"] : []

    content {
      default_action = "Deny"

      dynamic "ip_rule" {
        for_each = var.allowed_ip_ranges

        content {
          action   = "Allow"
          ip_range = ip_rule.value
        }
      }
    }
  }

  dynamic "identity" {
    for_each = local.customer_managed_keys ? ["encryption"] : []

    content {
      type         = "UserAssigned"
      identity_ids = [azurerm_user_assigned_identity.this["encryption"].id]
    }
  }

  dynamic "encryption" {
    for_each = local.customer_managed_keys ? ["encryption"] : []

    content {
      key_vault_key_id   = var.encryption_key_id
      identity_client_id = azurerm_user_assigned_identity.this["encryption"].client_id
    }
  }

  depends_on = [azurerm_role_assignment.encryption]
}

resource "azurerm_machine_learning_workspace" "this" {
  #checkov:skip=CKV_AZURE_144:where the classification permits it, the workspace answers in public, to identities alone
  name                           = local.names.workspace
  location                       = azurerm_resource_group.this.location
  resource_group_name            = azurerm_resource_group.this.name
  application_insights_id        = azurerm_application_insights.this.id
  key_vault_id                   = azurerm_key_vault.this.id
  storage_account_id             = azurerm_storage_account.this.id
  container_registry_id          = azurerm_container_registry.this.id
  public_network_access_enabled  = local.workspace_public_access
  high_business_impact           = local.high_business_impact
  storage_account_access_type    = "Identity"
  image_build_compute_name       = local.service_public_access ? null : "cpu-cluster"
  primary_user_assigned_identity = azurerm_user_assigned_identity.this["workspace"].id
  tags                           = local.tags

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.this["workspace"].id]
  }

  managed_network {
    isolation_mode                = local.managed_network
    provision_on_creation_enabled = true
  }

  dynamic "encryption" {
    for_each = local.customer_managed_keys ? ["encryption"] : []

    content {
      key_vault_id              = var.encryption_key_vault_id
      key_id                    = var.encryption_key_id
      user_assigned_identity_id = azurerm_user_assigned_identity.this["workspace"].id
    }
  }

  lifecycle {
    precondition {
      condition     = !local.customer_managed_keys || (var.encryption_key_id != null && var.encryption_key_vault_id != null)
      error_message = "The data's classification asks for a key of one's own: give encryption_key_id and encryption_key_vault_id."
    }

    precondition {
      condition     = local.service_public_access || var.private_endpoint_subnet_id != null
      error_message = "The data's classification closes the network: give private_endpoint_subnet_id."
    }
  }

  depends_on = [azurerm_role_assignment.workspace, azurerm_role_assignment.encryption]
}

resource "azurerm_machine_learning_compute_cluster" "cpu" {
  name                          = "cpu-cluster"
  location                      = azurerm_resource_group.this.location
  machine_learning_workspace_id = azurerm_machine_learning_workspace.this.id
  vm_priority                   = "Dedicated"
  vm_size                       = var.compute_vm_size
  local_auth_enabled            = false
  node_public_ip_enabled        = false
  ssh_public_access_enabled     = false
  tags                          = local.tags

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.this["compute"].id]
  }

  scale_settings {
    min_node_count                       = 0
    max_node_count                       = var.compute_max_nodes
    scale_down_nodes_after_idle_duration = "PT5M"
  }
}
