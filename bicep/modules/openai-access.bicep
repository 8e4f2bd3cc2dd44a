// Lets the app ask the models of an Azure OpenAI resource that is there already.

import { roleIds } from 'types.bicep'

@description('Name of the Azure OpenAI resource.')
param accountName string

@description('Object id of the app\'s identity.')
param principalId string

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = {
  name: accountName
}

resource user 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, principalId, 'Cognitive Services OpenAI User')
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds['Cognitive Services OpenAI User']
    )
  }
}
