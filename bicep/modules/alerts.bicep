// Every alert of `alerts/alerts.yaml`, and the burn-rate alerts of every objective in
// `alerts/slos.yaml`. The files are data, checked against `alerts/schema.json`; this module only
// deploys them. Queries run on the Application Insights component, where tables are called
// `customEvents`, `requests`, `exceptions` as in the guide.

@description('Region of the component.')
param location string

@description('Tags.')
param tags object

@description('Application Insights component that the queries run on.')
param componentResourceId string

@description('The apps, each with rules of its own on its metrics: `resourceId`, and what is added to the names of its rules.')
param apps { suffix: string, resourceId: string }[]

@description('Action groups: `critical`, `warning`.')
param actionGroupIds object

@description('Address that the paths of runbooks are added to.')
param runbookBaseUrl string

@description('Names of alerts that are not enabled, as nothing of this deployment could tell of what they watch.')
param silenced string[]

// `any`: the compiler would take the file's present content for the type of every later one.
var alerts = any(loadYamlContent('../alerts/alerts.yaml')).alerts
var objectives = any(loadYamlContent('../alerts/slos.yaml'))
var burnRateQuery = loadTextContent('../alerts/burn_rate.kql')

// One alert for each objective and each pair of windows.
var burnRateAlerts = flatten(map(
  objectives.slos,
  slo =>
    map(objectives.windows, pair => {
      name: '${slo.name}BurnRate${pair.name}'
      guid: guid(slo.guid, pair.name)
      severity: pair.severity
      query: replace(
        replace(
          replace(
            replace(replace(burnRateQuery, '{events}', trim(slo.events)), '{budget}', slo.budget),
            '{factor}',
            pair.factor
          ),
          '{short}',
          pair.short
        ),
        '{minimum}',
        string(slo.minimum_events)
      )
      window: pair.window
      frequency: pair.frequency
      measure: { aggregation: 'Maximum', column: 'breach' }
      operator: 'GreaterThan'
      threshold: 0
      failing_periods: { of: 1, min: 1 }
      auto_resolve: true
      action_group: pair.action_group
      why: '${slo.why} ${pair.why}'
      first_action: slo.first_action
      runbook: slo.runbook
      sources: slo.sources
    })
))
var queryAlerts = concat(filter(alerts, alert => alert.kind != 'metric'), burnRateAlerts)
// A rule on metrics of the platform watches one resource.
var metricAlerts = flatten(map(
  filter(alerts, alert => alert.kind == 'metric'),
  alert =>
    map(
      alert.metric.resource == 'app' ? apps : [{ suffix: '', resourceId: componentResourceId }],
      target =>
        union(alert, {
          name: '${alert.name}${target.suffix}'
          guid: empty(target.suffix) ? alert.guid : guid(alert.guid, target.suffix)
          scope: target.resourceId
        })
    )
))

resource rules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in queryAlerts: {
    name: alert.name
    location: location
    tags: union(tags, { 'alert-guid': alert.guid })
    kind: 'LogAlert'
    properties: {
      displayName: alert.name
      description: '${alert.why} First: ${alert.first_action}'
      severity: alert.severity
      enabled: (alert.?enabled ?? true) && !contains(silenced, alert.name)
      scopes: [componentResourceId]
      windowSize: alert.window
      evaluationFrequency: alert.frequency
      criteria: {
        allOf: [
          {
            query: alert.query
            timeAggregation: alert.measure.aggregation
            metricMeasureColumn: alert.measure.?column
            operator: alert.operator
            threshold: alert.threshold
            dimensions: map(alert.?dimensions ?? [], dimension => {
              name: dimension
              operator: 'Include'
              values: ['*']
            })
            failingPeriods: {
              numberOfEvaluationPeriods: alert.failing_periods.of
              minFailingPeriodsToAlert: alert.failing_periods.min
            }
          }
        ]
      }
      autoMitigate: alert.auto_resolve
      checkWorkspaceAlertsStorageConfigured: false
      skipQueryValidation: true
      actions: {
        actionGroups: [actionGroupIds[alert.action_group]]
        customProperties: {
          guid: alert.guid
          firstAction: alert.first_action
          runbook: '${runbookBaseUrl}${alert.runbook}'
        }
      }
    }
  }
]

resource metricRules 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for alert in metricAlerts: {
    name: alert.name
    location: 'global'
    tags: union(tags, { 'alert-guid': alert.guid })
    properties: {
      description: '${alert.why} First: ${alert.first_action}'
      severity: alert.severity
      enabled: (alert.?enabled ?? true) && !contains(silenced, alert.name)
      scopes: [alert.scope]
      windowSize: alert.window
      evaluationFrequency: alert.frequency
      autoMitigate: alert.auto_resolve
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: alert.name
            metricNamespace: alert.metric.namespace
            metricName: alert.metric.name
            skipMetricValidation: true // each plan has its own metrics
            timeAggregation: alert.measure.aggregation
            operator: alert.operator
            threshold: alert.threshold
          }
        ]
      }
      actions: [
        {
          actionGroupId: actionGroupIds[alert.action_group]
          webHookProperties: {
            guid: alert.guid
            firstAction: alert.first_action
            runbook: '${runbookBaseUrl}${alert.runbook}'
          }
        }
      ]
    }
  }
]

@description('Names of the rules that were deployed.')
output ruleNames string[] = map(concat(queryAlerts, metricAlerts), alert => alert.name)
