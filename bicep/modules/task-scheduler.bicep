// Durable Task Scheduler: keeps orchestrations instead of the storage account.

import { roleIds } from 'types.bicep'

@description('Name of the scheduler.')
@minLength(3)
@maxLength(64)
param name string

@description('Region; the service is not in all of them.')
param location string

@description('Tags.')
param tags object

@description('Pay for each action, or for a reserved unit.')
@allowed(['Consumption', 'Dedicated'])
param skuName string

@description('Task hubs, one for each place where the app runs.')
@minLength(1)
param taskHubNames string[]

@description('Address ranges that reach the scheduler.')
@minLength(1)
param allowedAddresses string[]

@description('Days that finished orchestrations are kept.')
@minValue(1)
@maxValue(90)
param retentionDays int

@description('Object id of the identity that starts and runs orchestrations.')
param workerPrincipalId string

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    ipAllowlist: allowedAddresses
    sku: skuName == 'Dedicated' ? { name: skuName, capacity: 1 } : { name: skuName }
  }
}

resource hubs 'Microsoft.DurableTask/schedulers/taskHubs@2026-02-01' = [
  for hub in taskHubNames: {
    parent: scheduler
    name: hub
    properties: {}
  }
]

resource retention 'Microsoft.DurableTask/schedulers/retentionPolicies@2026-02-01' = {
  parent: scheduler
  name: 'default'
  properties: { retentionPolicies: [{ retentionPeriodInDays: retentionDays }] }
}

resource workers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (hub, index) in taskHubNames: {
    scope: hubs[index]
    name: guid(scheduler.id, hub, workerPrincipalId, 'Durable Task Data Contributor')
    properties: {
      principalId: workerPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roleIds['Durable Task Data Contributor']
      )
    }
  }
]

@description('Address of the scheduler.')
output endpoint string = scheduler.properties.endpoint
