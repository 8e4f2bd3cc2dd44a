// The workspace that keeps telemetry and audit logs.

@description('Name of the workspace.')
@minLength(4)
@maxLength(63)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Days that everything is kept.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('GB a day after which nothing more is taken in; -1: no cap.')
@minValue(-1)
param dailyCapGB int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    workspaceCapping: { dailyQuotaGb: dailyCapGB }
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

@description('Resource id.')
output resourceId string = workspace.id
