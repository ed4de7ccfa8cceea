output "resource_group" {
  description = "Name of the group that holds everything."
  value       = azurerm_resource_group.this.name
}

output "workspace" {
  description = "Name of the Azure ML workspace."
  value       = azurerm_machine_learning_workspace.this.name
}

output "deploy_client_id" {
  description = "Client id of the identity as which the CI system signs in."
  value       = azurerm_user_assigned_identity.this["deploy"].client_id
}

output "deploy_principal_id" {
  description = "Object id of that identity: next_deploy_principal_id of the environment before."
  value       = azurerm_user_assigned_identity.this["deploy"].principal_id
}

output "endpoint_identity_id" {
  description = "Resource id of the identity that deployments run as."
  value       = azurerm_user_assigned_identity.this["endpoint"].id
}
