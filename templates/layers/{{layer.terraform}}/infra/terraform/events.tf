resource "azurerm_eventgrid_system_topic" "this" {
  name                = local.names.event_topic
  location            = azurerm_resource_group.this.location
  resource_group_name = azurerm_resource_group.this.name
  source_resource_id  = azurerm_machine_learning_workspace.this.id
  topic_type          = "Microsoft.MachineLearningServices.Workspaces"
  tags                = local.tags

  identity {
    type = "SystemAssigned"
  }
}

resource "azurerm_role_assignment" "dead_letters" {
  scope                = azurerm_storage_account.this.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = azurerm_eventgrid_system_topic.this.identity[0].principal_id
  principal_type       = "ServicePrincipal"
}

# The relay asks for one gated training; it cannot release. See infra/relay.
resource "azurerm_eventgrid_system_topic_event_subscription" "drift" {
  count = var.event_function_id == null ? 0 : 1

  name                  = "${local.names.event_subscription}-drift"
  system_topic          = azurerm_eventgrid_system_topic.this.name
  resource_group_name   = azurerm_resource_group.this.name
  event_delivery_schema = "CloudEventSchemaV1_0"
  included_event_types  = ["Microsoft.MachineLearningServices.RunStatusChanged"]

  advanced_filter {
    string_contains {
      key    = "data.RunTags.azureml_modelmonitor_threshold_breached"
      values = ["has failed due to one or more features violating metric thresholds"]
    }
  }

  azure_function_endpoint {
    function_id                       = var.event_function_id
    max_events_per_batch              = 1
    preferred_batch_size_in_kilobytes = 64
  }

  retry_policy {
    max_delivery_attempts = 10
    event_time_to_live    = 1440
  }

  dead_letter_identity {
    type = "SystemAssigned"
  }

  storage_blob_dead_letter_destination {
    storage_account_id          = azurerm_storage_account.this.id
    storage_blob_container_name = azurerm_storage_container.this["event-dead-letters"].name
  }

  depends_on = [azurerm_role_assignment.dead_letters]
}
