locals {
  private_endpoints = local.service_public_access ? {} : {
    amlworkspace = azurerm_machine_learning_workspace.this.id
    blob         = azurerm_storage_account.this.id
    file         = azurerm_storage_account.this.id
    queue        = azurerm_storage_account.this.id
    table        = azurerm_storage_account.this.id
    vault        = azurerm_key_vault.this.id
    registry     = azurerm_container_registry.this.id
  }
}

resource "azurerm_private_endpoint" "this" {
  for_each = local.private_endpoints

  name                = "${local.names.private_endpoint}-${each.key}"
  location            = azurerm_resource_group.this.location
  resource_group_name = azurerm_resource_group.this.name
  subnet_id           = var.private_endpoint_subnet_id
  tags                = local.tags

  private_service_connection {
    name                           = each.key
    private_connection_resource_id = each.value
    subresource_names              = [each.key]
    is_manual_connection           = false
  }

  dynamic "private_dns_zone_group" {
    for_each = contains(keys(var.private_dns_zone_ids), each.key) ? [var.private_dns_zone_ids[each.key]] : []

    content {
      name                 = "default"
      private_dns_zone_ids = private_dns_zone_group.value
    }
  }
}

# Azure ML makes those of blob and file by itself; parallel steps need two more.
resource "azurerm_machine_learning_workspace_network_outbound_rule_private_endpoint" "storage" {
  for_each = local.service_public_access ? toset([]) : toset(["queue", "table"])

  name                = "default-storage-${each.key}"
  workspace_id        = azurerm_machine_learning_workspace.this.id
  service_resource_id = azurerm_storage_account.this.id
  sub_resource_target = each.key
  spark_enabled       = false
}
