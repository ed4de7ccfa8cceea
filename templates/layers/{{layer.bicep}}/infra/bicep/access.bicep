// Who may do what.
param names object
param isProduction bool
param productionStandingAccess bool
param principalIds object

@description('Object id of the identity deploy of the next environment; none leaves its right out.')
param nextDeployPrincipalId string

@description('Object ids of the Entra groups of people, by role; a role without one has nobody.')
param groupIds object

@description('The roles that have a group.')
@allowed([
  'data_scientists'
  'ml_engineers'
  'model_validators'
  'endpoint_callers'
])
param groupNames array

var groupId = resourceGroup().id
var roleIds = loadJsonContent('builtin-roles.json')
var customRoles = loadJsonContent('../roles.json')
var reader = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.Reader)
var dataScientist = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(groupId, 'data_scientist'))
var mlEngineer = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(groupId, 'ml_engineer'))
var modelValidator = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(groupId, 'model_validator'))
var ciDeployer = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(groupId, 'ci_deployer'))
var endpointCaller = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(groupId, 'endpoint_caller'))

var storageRoles = [
  { identity: 'compute', role: 'Storage Blob Data Contributor' }
  { identity: 'compute', role: 'Storage Queue Data Contributor' }
  { identity: 'compute', role: 'Storage Table Data Contributor' }
  { identity: 'endpoint', role: 'Storage Blob Data Reader' }
  { identity: 'deploy', role: 'Storage Blob Data Contributor' }
  { identity: 'monitor', role: 'Storage Table Data Contributor' }
]
var workspaceRoles = [
  { identity: 'workspace', role: 'Contributor' }
  { identity: 'compute', role: 'AzureML Data Scientist' }
  { identity: 'endpoint', role: 'AzureML Metrics Writer (preview)' }
]

// In production people read, and what they change goes through the CI system; restricted data are read by nobody
// who has not asked for it first.
var rolesWithStandingAccess = {
  data_scientists: reader
  ml_engineers: reader
  model_validators: reader
  endpoint_callers: endpointCaller
}
var rolesWithoutStandingAccess = {
  endpoint_callers: endpointCaller
}
var rolesBeforeProduction = {
  data_scientists: dataScientist
  ml_engineers: mlEngineer
  model_validators: modelValidator
  endpoint_callers: endpointCaller
}
var rolesInProduction = productionStandingAccess ? rolesWithStandingAccess : rolesWithoutStandingAccess
var peopleRoles = isProduction ? rolesInProduction : rolesBeforeProduction

resource storage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: names.storage_account
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: names.key_vault
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: names.container_registry
}

resource workspace 'Microsoft.MachineLearningServices/workspaces@2026-05-01' existing = {
  name: names.workspace
}

resource endpointIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: '${names.identity}-endpoint'
}

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [for role in customRoles: {
  name: guid(groupId, role.key)
  properties: {
    roleName: '${role.name} (${names.role})'
    description: role.description
    type: 'CustomRole'
    assignableScopes: [
      groupId
    ]
    permissions: [
      {
        actions: role.actions
        notActions: role.not_actions
        dataActions: role.data_actions
      }
    ]
  }
}]

resource onStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for item in storageRoles: {
  scope: storage
  name: guid(storage.id, item.identity, item.role)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[item.role])
    principalId: principalIds[item.identity]
    principalType: 'ServicePrincipal'
  }
}]

resource onWorkspace 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for item in workspaceRoles: {
  scope: workspace
  name: guid(workspace.id, item.identity, item.role)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[item.role])
    principalId: principalIds[item.identity]
    principalType: 'ServicePrincipal'
  }
}]

resource onRegistry 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for purpose in ['compute', 'endpoint']: {
  scope: registry
  name: guid(registry.id, purpose, 'AcrPull')
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.AcrPull)
    principalId: principalIds[purpose]
    principalType: 'ServicePrincipal'
  }
}]

resource onVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, 'monitor', 'Key Vault Secrets User')
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds['Key Vault Secrets User'])
    principalId: principalIds.monitor
    principalType: 'ServicePrincipal'
  }
}

resource onEndpointIdentity 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: endpointIdentity
  name: guid(endpointIdentity.id, 'deploy', 'Managed Identity Operator')
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds['Managed Identity Operator'])
    principalId: principalIds.deploy
    principalType: 'ServicePrincipal'
  }
}

resource onGroup 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(groupId, 'deploy', 'Monitoring Reader')
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds['Monitoring Reader'])
    principalId: principalIds.deploy
    principalType: 'ServicePrincipal'
  }
}

resource deploy 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workspace
  name: guid(workspace.id, 'deploy', 'ci_deployer')
  properties: {
    roleDefinitionId: ciDeployer
    principalId: principalIds.deploy
    principalType: 'ServicePrincipal'
  }
  dependsOn: [
    definitions
  ]
}

// A release looks at what the environment before has validated.
resource nextEnvironment 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(nextDeployPrincipalId)) {
  scope: workspace
  name: guid(workspace.id, 'next', 'Reader')
  properties: {
    roleDefinitionId: reader
    principalId: nextDeployPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource people 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for group in groupNames: if (contains(peopleRoles, group)) {
  scope: workspace
  name: guid(workspace.id, groupIds[group], group)
  properties: {
    roleDefinitionId: peopleRoles[group]
    principalId: groupIds[group]
    principalType: 'Group'
  }
  dependsOn: [
    definitions
  ]
}]
