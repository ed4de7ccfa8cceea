// The registry that models go through stands in a group of its own, which exists before.
param registryId string
param names object
param principalIds object

var roleIds = loadJsonContent('builtin-roles.json')

resource registry 'Microsoft.MachineLearningServices/registries@2026-05-01' existing = {
  name: last(split(registryId, '/'))
}

resource roles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for purpose in ['deploy', 'compute', 'endpoint']: {
  scope: registry
  name: guid(registry.id, '${names.identity}-${purpose}', 'AzureML Registry User')
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds['AzureML Registry User'])
    principalId: principalIds[purpose]
    principalType: 'ServicePrincipal'
  }
}]
