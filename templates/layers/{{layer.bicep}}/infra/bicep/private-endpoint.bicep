// One private endpoint, with its names where there are zones for them.
param name string
param tags object
param location string
param subnetId string
param serviceId string
param serviceName string
param zoneIds array

resource endpoint 'Microsoft.Network/privateEndpoints@2025-09-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: {
      id: subnetId
    }
    privateLinkServiceConnections: [
      {
        name: serviceName
        properties: {
          privateLinkServiceId: serviceId
          groupIds: [
            serviceName
          ]
        }
      }
    ]
  }
}

resource zones 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-09-01' = if (!empty(zoneIds)) {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [for zone in zoneIds: {
      name: last(split(zone, '/'))
      properties: {
        privateDnsZoneId: zone
      }
    }]
  }
}
