// Who is told: `critical` wakes somebody up, `warning` is read in working hours. E-mail goes out
// beside PagerDuty and Slack, so that an alert arrives while those are not set up, or are away.

@description('Prefix of the names.')
@minLength(1)
@maxLength(40)
param prefix string

@description('Tags.')
param tags object

@description('E-mail addresses of both groups.')
param emails string[]

@description('Address that the paths of runbooks are added to.')
param runbookBaseUrl string

@description('Logic App that tells PagerDuty; empty: nobody does.')
param pagerDutyRelayId string

@description('Logic App that tells Slack; empty: nobody does.')
param slackRelayId string

var triggerVersion = '2019-05-01'
var emailReceivers = [
  for (email, index) in emails: {
    name: 'email-${index}'
    emailAddress: email
    useCommonAlertSchema: true
  }
]

resource critical 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${prefix}-critical'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'agent-crit'
    emailReceivers: emailReceivers
    logicAppReceivers: empty(pagerDutyRelayId)
      ? []
      : [
          {
            name: 'pagerduty'
            resourceId: pagerDutyRelayId
            callbackUrl: listCallbackUrl('${pagerDutyRelayId}/triggers/alert', triggerVersion).value
            useCommonAlertSchema: true
          }
        ]
  }
}

resource warning 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${prefix}-warning'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'agent-warn'
    emailReceivers: emailReceivers
    logicAppReceivers: empty(slackRelayId)
      ? []
      : [
          {
            name: 'slack'
            resourceId: slackRelayId
            callbackUrl: listCallbackUrl('${slackRelayId}/triggers/alert', triggerVersion).value
            useCommonAlertSchema: true
          }
        ]
  }
}

// A relay that fails cannot tell of it: this goes to the other one and to the e-mail addresses.
var relays = filter([pagerDutyRelayId, slackRelayId], relay => !empty(relay))

var relayAdvice = {
  firstAction: 'Look at the runs of the Logic App.'
  runbook: '${runbookBaseUrl}docs/runbooks/relay-failed.md'
}

resource relayFailed 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for relay in relays: {
    name: '${last(split(relay, '/'))}-failed'
    location: 'global'
    tags: tags
    properties: {
      description: 'An alert could not be passed on to PagerDuty or Slack. Look at the runs of the Logic App: a missing secret fails in read_secret.'
      severity: 1
      enabled: true
      autoMitigate: true
      scopes: [relay]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: 'failed'
            metricNamespace: 'Microsoft.Logic/workflows'
            metricName: 'RunsFailed'
            timeAggregation: 'Total'
            operator: 'GreaterThan'
            threshold: 0
          }
        ]
      }
      actions: [
        { actionGroupId: critical.id, webHookProperties: relayAdvice }
        { actionGroupId: warning.id, webHookProperties: relayAdvice }
      ]
    }
  }
]

@description('Ids of the groups: `critical`, `warning`.')
output ids object = {
  critical: critical.id
  warning: warning.id
}
