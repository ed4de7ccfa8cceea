// Who may use the key of one's own. The vault stands in a group of its own, which exists before.
@description('Resource id of the vault that holds the key: the data\'s classification asks for one of one\'s own.')
@minLength(1)
param vaultId string

param names object
param principalIds object

var roleIds = loadJsonContent('builtin-roles.json')

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: last(split(vaultId, '/'))
}

resource roles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for purpose in ['encryption', 'workspace']: {
  scope: vault
  name: guid(vault.id, '${names.identity}-${purpose}', 'Key Vault Crypto Service Encryption User')
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds['Key Vault Crypto Service Encryption User'])
    principalId: principalIds[purpose]
    principalType: 'ServicePrincipal'
  }
}]
