resource "azurerm_key_vault" "this" {
  #checkov:skip=CKV_AZURE_189:where the classification permits it, the vault answers in public, to listed addresses alone
  name                          = local.names.key_vault
  location                      = azurerm_resource_group.this.location
  resource_group_name           = azurerm_resource_group.this.name
  tenant_id                     = data.azurerm_client_config.current.tenant_id
  sku_name                      = "premium"
  rbac_authorization_enabled    = true
  purge_protection_enabled      = true
  soft_delete_retention_days    = 90
  public_network_access_enabled = local.service_public_access
  tags                          = local.tags

  network_acls {
    default_action = "Deny"
    bypass         = "AzureServices"
    ip_rules       = local.service_public_access ? var.allowed_ip_ranges : []
  }
}

resource "azurerm_storage_account" "this" {
  #checkov:skip=CKV_AZURE_33:the classic logging of queues is gone from azurerm 5; a diagnostic setting replaces it
  #checkov:skip=CKV_AZURE_59:where the classification permits it, storage answers in public, to listed addresses alone
  #checkov:skip=CKV_AZURE_206:only production is kept in a second region, where the classification asks for it
  #checkov:skip=CKV2_AZURE_1:a key of one's own is asked for by the classification restricted alone
  name                              = local.names.storage_account
  location                          = azurerm_resource_group.this.location
  resource_group_name               = azurerm_resource_group.this.name
  account_kind                      = "StorageV2"
  account_tier                      = "Standard"
  account_replication_type          = local.is_production ? local.storage_redundancy : "ZRS"
  min_tls_version                   = "TLS1_2"
  https_traffic_only_enabled        = true
  public_network_access_enabled     = local.service_public_access
  allow_nested_items_to_be_public   = false
  shared_access_key_enabled         = false
  local_user_enabled                = false
  default_to_oauth_authentication   = true
  cross_tenant_replication_enabled  = false
  infrastructure_encryption_enabled = local.infrastructure_encryption
  tags                              = local.tags

  # To block would break signatures that services make for themselves.
  sas_policy {
    expiration_period = "01.00:00:00"
    expiration_action = "Log"
  }

  blob_properties {
    versioning_enabled  = true
    change_feed_enabled = true

    delete_retention_policy {
      days = local.blob_soft_delete_days
    }

    container_delete_retention_policy {
      days = local.blob_soft_delete_days
    }
  }

  network_rules {
    default_action = "Deny"
    bypass         = ["AzureServices", "Logging", "Metrics"]
    ip_rules       = local.service_public_access ? var.allowed_ip_ranges : []
  }

  dynamic "identity" {
    for_each = local.customer_managed_keys ? ["encryption"] : []

    content {
      type         = "UserAssigned"
      identity_ids = [azurerm_user_assigned_identity.this["encryption"].id]
    }
  }

  dynamic "customer_managed_key" {
    for_each = local.customer_managed_keys ? ["encryption"] : []

    content {
      key_vault_key_id          = var.encryption_key_id
      user_assigned_identity_id = azurerm_user_assigned_identity.this["encryption"].id
    }
  }

  depends_on = [azurerm_role_assignment.encryption]
}

resource "azurerm_storage_container" "this" {
  #checkov:skip=CKV2_AZURE_21:reads of blobs are logged by the account's diagnostic setting
  for_each = toset(["evidence", "event-dead-letters"])

  name                  = each.key
  storage_account_id    = azurerm_storage_account.this.id
  container_access_type = "private"
}

# Not locked, so that an environment can be torn down; who must prove more locks it once it is in use.
resource "azurerm_storage_container_immutability_policy" "evidence" {
  count = local.evidence_immutable_days > 0 ? 1 : 0

  storage_container_resource_manager_id = azurerm_storage_container.this["evidence"].id
  immutability_period_in_days           = local.evidence_immutable_days
  protected_append_writes_all_enabled   = true
}

resource "azurerm_storage_management_policy" "retention" {
  storage_account_id = azurerm_storage_account.this.id

  rule {
    name    = "predictions"
    enabled = true

    filters {
      blob_types   = ["blockBlob"]
      prefix_match = ["azureml-blobstore/predictions", "azureml-blobstore/modelDataCollector"]
    }

    actions {
      base_blob {
        tier_to_cool_after_days_since_modification_greater_than = 30
        delete_after_days_since_modification_greater_than       = local.prediction_retention_days
      }
    }
  }
}
