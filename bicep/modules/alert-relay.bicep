// Puts Azure's alerts into the words of PagerDuty or Slack. A Logic App and not a function of the
// app: an alert that says the app is down must not need the app. The address or key that it sends
// with is a secret that it reads when it needs it; without that secret its runs fail, and say so.

import { roleIds } from 'types.bicep'

@description('Name of the Logic App.')
@minLength(1)
@maxLength(43)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Who is told.')
@allowed(['pagerduty', 'slack'])
param receiver string

@description('Vault with the secrets of the receivers.')
param vaultName string

@description('Name of the secret.')
param secretName string

@description('Workspace that keeps the log of runs.')
param workspaceResourceId string

var definitions = {
  pagerduty: loadJsonContent('../alerts/relay/pagerduty.json')
  slack: loadJsonContent('../alerts/relay/slack.json')
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource workflow 'Microsoft.Logic/workflows@2019-05-01' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    state: 'Enabled'
    definition: definitions[receiver]
    parameters: {
      secretUri: { value: '${vault.properties.vaultUri}secrets/${secretName}' }
    }
  }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, workflow.id, 'Key Vault Secrets User')
  properties: {
    principalId: workflow.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds['Key Vault Secrets User']
    )
  }
}

resource runs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: workflow
  name: 'runs'
  properties: {
    workspaceId: workspaceResourceId
    logs: [{ category: 'WorkflowRuntime', enabled: true }]
  }
}

@description('Resource id.')
output resourceId string = workflow.id
