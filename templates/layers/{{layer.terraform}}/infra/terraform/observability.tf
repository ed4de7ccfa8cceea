resource "azurerm_log_analytics_workspace" "this" {
  name                         = local.names.log_analytics
  location                     = azurerm_resource_group.this.location
  resource_group_name          = azurerm_resource_group.this.name
  sku                          = "PerGB2018"
  retention_in_days            = local.log_retention_days
  local_authentication_enabled = false
  tags                         = local.tags
}

resource "azurerm_sentinel_log_analytics_workspace_onboarding" "this" {
  count = local.security_monitoring ? 1 : 0

  workspace_id                 = azurerm_log_analytics_workspace.this.id
  customer_managed_key_enabled = false
}

# The inference server of Azure ML knows a connection string only. Where the classification forbids that, the logs of
# the endpoint, below, take its place.
resource "azurerm_application_insights" "this" {
  name                         = local.names.application_insights
  location                     = azurerm_resource_group.this.location
  resource_group_name          = azurerm_resource_group.this.name
  application_type             = "web"
  workspace_id                 = azurerm_log_analytics_workspace.this.id
  local_authentication_enabled = local.telemetry_by_key
  tags                         = local.tags
}

resource "azurerm_monitor_diagnostic_setting" "this" {
  for_each = { for name, id in {
    workspace = azurerm_machine_learning_workspace.this.id
    vault     = azurerm_key_vault.this.id
    registry  = azurerm_container_registry.this.id
    storage   = "${azurerm_storage_account.this.id}/blobServices/default"
  } : name => id if contains(local.diagnostics, name) }

  name                           = "diagnostics-${each.key}"
  target_resource_id             = each.value
  log_analytics_workspace_id     = azurerm_log_analytics_workspace.this.id
  log_analytics_destination_type = "Dedicated"

  enabled_log {
    category_group = "allLogs"
  }

  enabled_metric {
    category = "AllMetrics"
  }
}

resource "azurerm_monitor_diagnostic_setting" "endpoint" {
  for_each = var.online_endpoint_ids

  name                           = "diagnostics-${each.key}"
  target_resource_id             = each.value
  log_analytics_workspace_id     = azurerm_log_analytics_workspace.this.id
  log_analytics_destination_type = "Dedicated"

  enabled_log {
    category = "AmlOnlineEndpointTrafficLog"
  }

  enabled_log {
    category = "AmlOnlineEndpointConsoleLog"
  }

  enabled_log {
    category = "AmlOnlineEndpointEventLog"
  }

  enabled_metric {
    category = "AllMetrics"
  }
}

resource "azurerm_monitor_action_group" "this" {
  name                = local.names.action_group
  resource_group_name = azurerm_resource_group.this.name
  short_name          = local.names.action_group_short
  tags                = local.tags

  dynamic "email_receiver" {
    for_each = var.alert_emails

    content {
      name                    = "mail-${email_receiver.key}"
      email_address           = email_receiver.value
      use_common_alert_schema = true
    }
  }
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "failed_jobs" {
  name                  = "${local.names.alert}-failed-jobs"
  resource_group_name   = azurerm_resource_group.this.name
  location              = azurerm_resource_group.this.location
  scopes                = [azurerm_log_analytics_workspace.this.id]
  description           = "A job has failed."
  severity              = 2
  evaluation_frequency  = "PT15M"
  window_duration       = "PT15M"
  skip_query_validation = true # the table comes with the first event
  tags                  = local.tags

  criteria {
    query                   = "AmlRunStatusChangedEvent | where Status == 'Failed'"
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = 0
  }

  action {
    action_groups = [azurerm_monitor_action_group.this.id]
  }
}

resource "azurerm_monitor_metric_alert" "lost_events" {
  name                = "${local.names.alert}-lost-events"
  resource_group_name = azurerm_resource_group.this.name
  scopes              = [azurerm_eventgrid_system_topic.this.id]
  description         = "An event did not reach the relay."
  severity            = 2
  frequency           = "PT5M"
  window_size         = "PT15M"
  tags                = local.tags

  criteria {
    metric_namespace = "Microsoft.EventGrid/systemTopics"
    metric_name      = "DeadLetteredCount"
    aggregation      = "Total"
    operator         = "GreaterThan"
    threshold        = 0
  }

  action {
    action_group_id = azurerm_monitor_action_group.this.id
  }
}

resource "azurerm_application_insights_workbook" "this" {
  name                = local.names.workbook
  display_name        = "Machine learning operations: ${local.names.workspace}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  source_id           = lower(azurerm_log_analytics_workspace.this.id)
  data_json           = jsonencode(jsondecode(file("${path.module}/../workbook.json")))
  tags                = local.tags
}
