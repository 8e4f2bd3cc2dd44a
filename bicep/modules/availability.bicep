// Asks the app from five places of the world, every five minutes, whether it is ready for a job.

@description('Name of the test.')
@minLength(1)
@maxLength(80)
param name string

@description('Region of the component.')
param location string

@description('Tags.')
param tags object

@description('Application Insights component that keeps the results.')
param componentResourceId string

@description('Host name of the app.')
param hostName string

@description('Action group that is told when two places or more see it fail.')
param actionGroupId string

@description('Address that the paths of runbooks are added to.')
param runbookBaseUrl string

resource ready 'Microsoft.Insights/webtests@2022-06-15' = {
  name: name
  location: location
  tags: union(tags, { 'hidden-link:${componentResourceId}': 'Resource' })
  kind: 'standard'
  properties: {
    Name: name
    SyntheticMonitorId: name
    Description: 'Whether everything a job needs can be reached.'
    Kind: 'standard'
    Enabled: true
    Frequency: 300
    Timeout: 30
    RetryEnabled: true
    Locations: [
      { Id: 'emea-nl-ams-azr' }
      { Id: 'us-il-ch1-azr' }
      { Id: 'us-fl-mia-edge' }
      { Id: 'latam-br-gru-edge' }
      { Id: 'apac-sg-sin-azr' }
    ]
    Request: {
      RequestUrl: 'https://${hostName}/gateway/ready'
      HttpVerb: 'GET'
      FollowRedirects: false
      ParseDependentRequests: false
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 7
    }
  }
}

resource notReady 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'NotReady'
  location: 'global'
  tags: tags
  properties: {
    description: 'Two places or more do not get 200 from /gateway/ready. First: open it, and see which dependency is failed.'
    severity: 0
    enabled: true
    autoMitigate: true
    scopes: [ready.id, componentResourceId]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: ready.id
      componentId: componentResourceId
      failedLocationCount: 2
    }
    actions: [
      {
        actionGroupId: actionGroupId
        webHookProperties: {
          firstAction: 'Open /gateway/ready, and see which dependency is failed.'
          runbook: '${runbookBaseUrl}docs/runbooks/service-down.md'
        }
      }
    ]
  }
}
