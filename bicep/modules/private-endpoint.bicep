// One private endpoint with its name in private DNS.

import { privateAccess } from 'types.bicep'

@description('Name of the endpoint.')
@minLength(2)
@maxLength(64)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Resource that the endpoint leads to.')
param targetResourceId string

@description('Service of that resource: `blob`, `queue`, `table`, `vault` or `postgresqlServer`.')
param service string

@description('Subnet and DNS zones.')
param private privateAccess

resource endpoint 'Microsoft.Network/privateEndpoints@2024-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: private.subnetId }
    privateLinkServiceConnections: [
      {
        name: service
        properties: {
          privateLinkServiceId: targetResourceId
          groupIds: [service]
        }
      }
    ]
  }
}

resource zones 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: service
        properties: { privateDnsZoneId: private.zoneIds[service] }
      }
    ]
  }
}
