# A budget only tells; it stops nothing. What stops is that no node runs while there is nothing to do.
resource "azurerm_consumption_budget_resource_group" "this" {
  name              = local.names.budget
  resource_group_id = azurerm_resource_group.this.id
  amount            = var.monthly_budget
  time_grain        = "Monthly"

  time_period {
    start_date = var.budget_start
  }

  dynamic "notification" {
    for_each = {
      actual_50    = { threshold = 50, type = "Actual" }
      actual_80    = { threshold = 80, type = "Actual" }
      actual_100   = { threshold = 100, type = "Actual" }
      forecast_110 = { threshold = 110, type = "Forecasted" }
    }

    content {
      enabled        = true
      threshold      = notification.value.threshold
      threshold_type = notification.value.type
      operator       = "GreaterThanOrEqualTo"
      contact_emails = var.alert_emails
      contact_groups = [azurerm_monitor_action_group.this.id]
    }
  }

  # The month in which it started stays.
  lifecycle {
    ignore_changes = [time_period]
  }
}
