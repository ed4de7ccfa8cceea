// What Azure ML itself needs for a workspace whose identity is chosen and whose storage has no keys. It has it before
// there is a workspace.
param names object
param principalIds object

var roleIds = loadJsonContent('builtin-roles.json')
var storageRoles = [
  'Contributor'
  'Storage Blob Data Contributor'
  'Storage File Data Privileged Contributor'
]
var vaultRoles = [
  'Contributor'
  'Key Vault Administrator'
]

resource storage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: names.storage_account
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: names.key_vault
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: names.container_registry
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: names.application_insights
}

resource onStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in storageRoles: {
  scope: storage
  name: guid(storage.id, 'workspace', role)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[role])
    principalId: principalIds.workspace
    principalType: 'ServicePrincipal'
  }
}]

resource onVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in vaultRoles: {
  scope: vault
  name: guid(vault.id, 'workspace', role)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[role])
    principalId: principalIds.workspace
    principalType: 'ServicePrincipal'
  }
}]

resource onRegistry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: registry
  name: guid(registry.id, 'workspace', 'Contributor')
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.Contributor)
    principalId: principalIds.workspace
    principalType: 'ServicePrincipal'
  }
}

resource onInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, 'workspace', 'Contributor')
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.Contributor)
    principalId: principalIds.workspace
    principalType: 'ServicePrincipal'
  }
}

resource onGroup 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, 'workspace', 'Azure AI Enterprise Network Connection Approver')
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds['Azure AI Enterprise Network Connection Approver'])
    principalId: principalIds.workspace
    principalType: 'ServicePrincipal'
  }
}
