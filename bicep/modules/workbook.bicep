// What operators look at: objectives and budgets, jobs, latency, failures, cost, Azure DevOps, queue.

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Application Insights component that the queries run on.')
param componentResourceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(componentResourceId, 'code-agent')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Code Agent'
    category: 'workbook'
    version: '1.0'
    sourceId: componentResourceId
    serializedData: loadTextContent('../workbook/workbook.json')
  }
}

@description('Resource id.')
output resourceId string = workbook.id
