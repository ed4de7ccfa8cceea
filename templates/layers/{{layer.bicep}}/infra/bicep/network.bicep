// Private endpoints, where the data's classification closes the network.
param names object
param tags object
param location string

@description('Subnet for the private endpoints: the data\'s classification closes the network.')
@minLength(1)
param subnetId string

@description('Private DNS zones by what they resolve: amlworkspace, blob, file, queue, table, vault, registry.')
param dnsZoneIds object

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

var services = [
  { name: 'amlworkspace', id: workspace.id }
  { name: 'blob', id: storage.id }
  { name: 'file', id: storage.id }
  { name: 'queue', id: storage.id }
  { name: 'table', id: storage.id }
  { name: 'vault', id: vault.id }
  { name: 'registry', id: registry.id }
]

module endpoints 'private-endpoint.bicep' = [for service in services: {
  params: {
    name: '${names.private_endpoint}-${service.name}'
    tags: tags
    location: location
    subnetId: subnetId
    serviceId: service.id
    serviceName: service.name
    zoneIds: dnsZoneIds[?service.name] ?? []
  }
}]
