// Application Insights over the workspace. Nobody sends telemetry without a token of Entra ID.

import { roleIds } from 'types.bicep'

@description('Name of the component.')
@minLength(1)
@maxLength(255)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Workspace that keeps the telemetry.')
param workspaceResourceId string

@description('Object ids of the identities that send telemetry.')
param publisherPrincipalIds string[]

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspaceResourceId
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
    DisableIpMasking: false
  }
}

resource publishers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in publisherPrincipalIds: {
    scope: component
    name: guid(component.id, principalId, 'Monitoring Metrics Publisher')
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roleIds['Monitoring Metrics Publisher']
      )
    }
  }
]

@description('Resource id; the scope of alerts, so that tables keep their names (`customEvents`, `requests`).')
output resourceId string = component.id

@description('Name.')
output name string = component.name
