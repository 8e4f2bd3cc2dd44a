// Everything of the app in one resource group. `azd up` deploys it; so does `az deployment sub create`.

targetScope = 'subscription'

import { flexScale, postgresServer, premiumScale, principal, storageRedundancy } from 'modules/types.bicep'

metadata name = 'Code Agent'
metadata description = 'The app, its identity, vault, records, telemetry and alerts.'

@description('Short name; the resource group and every resource begin with it or with a kind and it.')
@minLength(2)
@maxLength(12)
param name string

@description('Stage, told by the health check and by telemetry.')
@allowed(['dev', 'staging', 'production'])
param stage string

@description('Region of all resources.')
@minLength(3)
param location string

@description('Name of the azd environment; azd finds its resources by it.')
param azdEnvironment string = '${name}-${stage}'

@description('Tags of all resources, beside those of azd.')
param tags object = {}

@description('Organisation of Azure DevOps, such as `https://dev.azure.com/contoso`.')
@minLength(12)
param organisationUrl string

@description('How the app signs in to Azure DevOps: as its identity, or with the token in the secret `ado-pat`.')
@allowed(['managed-identity', 'pat'])
param azureDevOpsAuthentication string = 'managed-identity'

@description('Other settings of the app, by their names in docs/settings.md. Never a secret: those are read from the vault.')
param settings object = {}

@description('Plan that the app runs on. Only Elastic Premium has the slot `staging`.')
@allowed(['flex', 'premium'])
param plan string = 'flex'

@description('Whether there are two apps on Flex Consumption, each with a task hub: a new version is deployed beside the old one.')
param secondApp bool = false

@description('Which of two apps is live: the first (`a`) or the second. Pipelines move it, and tell it from the tag `code-agent-live`.')
@allowed(['a', 'b'])
param liveSide string = 'a'

@description('Version of Python; the tests run on 3.11.')
@allowed(['3.11', '3.12'])
param pythonVersion string = '3.11'

@description('Memory and instances on Flex Consumption.')
param flex flexScale = {
  instanceMemoryMB: 2048
  maximumInstanceCount: 40
  alwaysReadyHttp: 1
  alwaysReadyDurable: 0
  zoneRedundant: false
  httpConcurrency: 16
}

@description('Size, instances and packages on Elastic Premium.')
param premium premiumScale = {
  size: 'EP1'
  minimumInstanceCount: 1
  maximumInstanceCount: 10
  zoneRedundant: false
  package: ''
  stagingPackage: ''
}

@description('What keeps running orchestrations: the storage account, or Durable Task Scheduler.')
@allowed(['storage', 'scheduler'])
param durableBackend string = 'storage'

@description('Kind of scheduler, where it is used.')
@allowed(['Consumption', 'Dedicated'])
param schedulerSku string = 'Consumption'

@description('Where records are kept: a Postgres server of this deployment, or the database whose URL is the secret `database-url` (Supabase).')
@allowed(['postgres', 'vault-url'])
param database string = 'postgres'

@description('Size of the Postgres server, its backups and its standby.')
param postgres postgresServer = {
  skuName: 'Standard_B2s'
  tier: 'Burstable'
  storageGB: 32
  backupRetentionDays: 7
  geoRedundantBackup: false
  zoneRedundant: false
}

@description('Administrators of Postgres. Empty: the app\'s identity is the only one, so that it can make its tables without help.')
param postgresAdministrators principal[] = []

@description('People or pipelines that write secrets into the vaults.')
param secretOfficers principal[] = []

@description('Whether storage, vault and database are reached over a virtual network only.')
param privateNetwork bool = false

@description('Addresses from which secret officers reach the vault where the network is private.')
param officerAddresses string[] = []

@description('Address space of the virtual network; a /22 or larger.')
param networkPrefix string = '10.80.0.0/22'

@description('Service tags that may call the app, such as `AzureDevOps`; with one, all others but the web test are refused. Empty: everybody may call, and the app checks each call.')
param allowedServiceTags string[] = []

@description('Address ranges of people who open the pages, where service tags are set.')
param allowedAddresses string[] = []

@description('How the storage account keeps copies.')
param redundancy storageRedundancy = 'Standard_ZRS'

@description('Whether there is a storage account for dumps of the database.')
param backupStorage bool = false

@description('Days that a dump is kept.')
@minValue(1)
@maxValue(3650)
param backupRetentionDays int = 30

@description('Object id of the pipeline\'s identity that writes dumps and tells of them; empty: nobody.')
param backupWriterPrincipalId string = ''

@description('Days that telemetry and logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('GB of telemetry and logs a day after which nothing more is taken in; -1: no cap.')
@minValue(-1)
param logDailyCapGB int = 2

@description('E-mail addresses that alerts and budgets are sent to.')
@minLength(1)
param alertEmails string[]

@description('Whether critical alerts go to PagerDuty (secret `pagerduty-routing-key`).')
param pagerDuty bool = false

@description('Whether warnings go to Slack (secret `slack-webhook-url`).')
param slack bool = false

@description('Address that the paths of runbooks are added to, with a slash at its end.')
param runbookBaseUrl string = ''

@description('What the resource group may cost in a month, in the currency of the subscription.')
@minValue(1)
param monthlyBudget int

@description('First day of the month from which the budget counts, yyyy-MM-dd. This month, unless it is pinned.')
@minLength(10)
param budgetStartDate string = utcNow('yyyy-MM-01')

@description('Azure OpenAI resource whose models the app asks with its identity; empty: none.')
param azureOpenAiResourceId string = ''

@description('Whether storage, vaults and database are locked against deletion.')
param locks bool = false

var token = uniqueString(subscription().subscriptionId, name, stage, location)
var suffix = '${name}-${stage}'
var allTags = union(tags, { 'azd-env-name': azdEnvironment, application: 'code-agent', stage: stage })
var appName = 'func-${name}-${take(token, 8)}'
var secondAppName = '${appName}-b'
var storageName = 'st${replace(toLower(name), '-', '')}${take(token, 10)}'
var vaultName = 'kv-${take(token, 8)}-app'
var alertVaultName = 'kv-${take(token, 8)}-alerts'
var identityName = 'id-${suffix}'
var databaseName = 'code_agent'
var packageContainer = 'deployments'
var taskHub = 'CodeAgent${toUpper(take(stage, 1))}${substring(stage, 1)}'
var stagingTaskHub = '${taskHub}Slot'
var hasSecondApp = plan == 'flex' && secondApp
var secondIsLive = hasSecondApp && liveSide == 'b'
var secondTaskHub = '${taskHub}B'
var secondPackageContainer = '${packageContainer}-b'
var taskHubs = plan == 'premium' ? [taskHub, stagingTaskHub] : hasSecondApp ? [taskHub, secondTaskHub] : [taskHub]
// `/subscriptions/{id}/resourceGroups/{name}/…`; of our own group where there is no such resource.
var openAiParts = split(
  empty(azureOpenAiResourceId) ? '/subscriptions/${subscription().subscriptionId}/resourceGroups/rg-${suffix}' : azureOpenAiResourceId,
  '/'
)
var usesPostgres = database == 'postgres'
var usesScheduler = durableBackend == 'scheduler'

var callers = concat(
  map(allowedServiceTags, tag => { ipAddress: tag, tag: 'ServiceTag' }),
  empty(allowedServiceTags) ? [] : [{ ipAddress: 'ApplicationInsightsAvailability', tag: 'ServiceTag' }],
  map(allowedAddresses, address => { ipAddress: address, tag: 'Default' })
)
var ipSecurityRestrictions = map(range(0, length(callers)), index => {
  name: 'caller-${index}'
  action: 'Allow'
  priority: 100 + index
  ipAddress: callers[index].ipAddress
  tag: callers[index].tag
})
var officerRoles = map(secretOfficers, officer => {
  principalId: officer.principalId
  principalType: officer.principalType
  role: 'Key Vault Secrets Officer'
})

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${suffix}'
  location: location
  tags: union(allTags, hasSecondApp ? { 'code-agent-live': secondIsLive ? secondAppName : appName } : {})
}

module identity 'modules/identity.bicep' = {
  scope: group
  name: 'identity'
  params: { name: identityName, location: location, tags: allTags }
}

module logs 'modules/log-analytics.bicep' = {
  scope: group
  name: 'log-analytics'
  params: {
    name: 'log-${suffix}'
    location: location
    tags: allTags
    retentionDays: logRetentionDays
    dailyCapGB: logDailyCapGB
  }
}

module insights 'modules/application-insights.bicep' = {
  scope: group
  name: 'application-insights'
  params: {
    name: 'appi-${suffix}'
    location: location
    tags: allTags
    workspaceResourceId: logs.outputs.resourceId
    // the pipeline that dumps the database tells of it
    publisherPrincipalIds: empty(backupWriterPrincipalId)
      ? [identity.outputs.principalId]
      : [identity.outputs.principalId, backupWriterPrincipalId]
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  scope: group
  name: 'network'
  params: {
    name: 'vnet-${suffix}'
    location: location
    tags: allTags
    addressPrefix: networkPrefix
    appDelegation: plan == 'flex' ? 'Microsoft.App/environments' : 'Microsoft.Web/serverFarms'
  }
}

var publicAccess = { subnetId: '', zoneIds: {} }
var privateAccess = privateNetwork
  ? { subnetId: network!.outputs.endpointSubnetId, zoneIds: network!.outputs.zoneIds }
  : publicAccess

module storage 'modules/storage-account.bicep' = {
  scope: group
  name: 'storage'
  params: {
    name: storageName
    location: location
    tags: allTags
    redundancy: redundancy
    containers: hasSecondApp ? [packageContainer, secondPackageContainer] : [packageContainer]
    expiries: map(taskHubs, hub => {
      name: 'expire-${toLower(hub)}'
      prefix: '${toLower(hub)}-largemessages/'
      days: 90
    })
    roles: [
      {
        principalId: identity.outputs.principalId
        principalType: 'ServicePrincipal'
        role: 'Storage Blob Data Owner'
      }
      {
        principalId: identity.outputs.principalId
        principalType: 'ServicePrincipal'
        role: 'Storage Queue Data Contributor'
      }
      {
        principalId: identity.outputs.principalId
        principalType: 'ServicePrincipal'
        role: 'Storage Table Data Contributor'
      }
    ]
    privateServices: ['blob', 'queue', 'table']
    private: privateAccess
    lock: locks
  }
}

module backups 'modules/storage-account.bicep' = if (backupStorage) {
  scope: group
  name: 'backups'
  params: {
    name: 'bk${replace(toLower(name), '-', '')}${take(token, 10)}'
    location: location
    tags: allTags
    redundancy: 'Standard_GRS'
    containers: ['database']
    versionDays: backupRetentionDays
    expiries: [{ name: 'expire-dumps', prefix: 'database/', days: backupRetentionDays }]
    roles: empty(backupWriterPrincipalId)
      ? []
      : [
          {
            principalId: backupWriterPrincipalId
            principalType: 'ServicePrincipal'
            role: 'Storage Blob Data Contributor'
          }
        ]
    private: publicAccess
    lock: locks
  }
}

module vault 'modules/key-vault.bicep' = {
  scope: group
  name: 'vault'
  params: {
    name: vaultName
    location: location
    tags: allTags
    workspaceResourceId: logs.outputs.resourceId
    roles: concat(
      [
        {
          principalId: identity.outputs.principalId
          principalType: 'ServicePrincipal'
          role: 'Key Vault Secrets User'
        }
      ],
      officerRoles
    )
    private: privateAccess
    allowedAddresses: officerAddresses
    lock: locks
  }
}

module server 'modules/postgres.bicep' = if (usesPostgres) {
  scope: group
  name: 'postgres'
  params: {
    name: 'psql-${toLower(name)}-${take(token, 8)}'
    location: location
    tags: allTags
    server: postgres
    databaseName: databaseName
    administrators: empty(postgresAdministrators)
      ? [
          {
            principalId: identity.outputs.principalId
            name: identity.outputs.name
            principalType: 'ServicePrincipal'
          }
        ]
      : postgresAdministrators
    workspaceResourceId: logs.outputs.resourceId
    private: privateAccess
    lock: locks
  }
}

module scheduler 'modules/task-scheduler.bicep' = if (usesScheduler) {
  scope: group
  name: 'task-scheduler'
  params: {
    name: 'dts-${toLower(name)}-${take(token, 8)}'
    location: location
    tags: allTags
    skuName: schedulerSku
    taskHubNames: taskHubs
    allowedAddresses: [privateNetwork ? '${network!.outputs.egressAddress}/32' : '0.0.0.0/0']
    retentionDays: 30
    workerPrincipalId: identity.outputs.principalId
  }
}

module openAiAccess 'modules/openai-access.bicep' = if (!empty(azureOpenAiResourceId)) {
  scope: resourceGroup(openAiParts[2], openAiParts[4])
  name: 'openai-access-${take(token, 8)}'
  params: {
    accountName: last(split(azureOpenAiResourceId, '/'))
    principalId: identity.outputs.principalId
  }
}

// Defaults for Azure, then what the operators chose, then what the templates know: `settings` cannot
// undo an identity. An instance of Flex Consumption has less than a gigabyte of local disk.
// Source: https://learn.microsoft.com/azure/azure-functions/functions-scale#service-limits
var appSettings = union(
  {
    CODE_AGENT_DATA_DIR: '/tmp/code-agent'
    CODE_AGENT_SNAPSHOT_MAX_BYTES: plan == 'flex' ? '500000000' : '2000000000'
    CODE_AGENT_TRUSTED_PROXY_HOPS: '1'
    // what host.json lets run in one process at once, and room for entities and timers; by default
    // the worker has 5 on one core, and activities that wait for a model keep the others waiting
    PYTHON_THREADPOOL_THREAD_COUNT: '16'
  },
  settings,
  {
    AzureWebJobsStorage__accountName: storageName
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identity.outputs.clientId
    AZURE_CLIENT_ID: identity.outputs.clientId
    AZURE_DEVOPS_ORGANISATION_URL: organisationUrl
    AZURE_DEVOPS_AUTHENTICATION: azureDevOpsAuthentication
    CODE_AGENT_ENVIRONMENT: stage
    CODE_AGENT_KEY_VAULT_URL: vault.outputs.uri
    CODE_AGENT_KEY_VAULT_CLIENT_ID: identity.outputs.clientId
    CODE_AGENT_PAGES: 'protected'
    PYTHON_ENABLE_OPENTELEMETRY: 'true'
  },
  usesPostgres
    ? {
        CODE_AGENT_DATABASE_AUTHENTICATION: 'managed-identity'
        CODE_AGENT_DATABASE_URL: 'postgresql://${identity.outputs.name}@${server!.outputs.host}:5432/${databaseName}'
      }
    : {
        CODE_AGENT_DATABASE_AUTHENTICATION: 'password'
        CODE_AGENT_DATABASE_URL: 'keyvault:database-url'
      },
  usesScheduler
    ? {
        DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${scheduler!.outputs.endpoint};Authentication=ManagedIdentity;ClientID=${identity.outputs.clientId}'
        AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
        AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
      }
    : {}
)

// A side that rests leaves every timer to the one that is live: what it told would be told twice, and
// its heartbeats would hide that the other one has none.
var restingSettings = toObject(
  ['beat', 'run_canary', 'watch_hooks', 'watch_secrets', 'watch_rights', 'apply_retention', 'reconcile'],
  timer => 'AzureWebJobs.${timer}.Disabled',
  timer => 'true'
)

module flexApp 'modules/function-app-flex.bicep' = if (plan == 'flex') {
  scope: group
  name: 'function-app-flex'
  params: {
    name: appName
    location: location
    tags: allTags
    identityResourceId: identity.outputs.resourceId
    identityClientId: identity.outputs.clientId
    pythonVersion: pythonVersion
    scale: flex
    packageContainerUrl: '${storage.outputs.blobEndpoint}${packageContainer}'
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    ipSecurityRestrictions: ipSecurityRestrictions
    componentName: insights.outputs.name
    settings: secondIsLive ? union(appSettings, restingSettings) : appSettings
    taskHubName: taskHub
  }
}

module secondFlexApp 'modules/function-app-flex.bicep' = if (hasSecondApp) {
  scope: group
  name: 'function-app-flex-b'
  params: {
    name: secondAppName
    location: location
    tags: allTags
    azdTags: {}
    identityResourceId: identity.outputs.resourceId
    identityClientId: identity.outputs.clientId
    pythonVersion: pythonVersion
    scale: flex
    packageContainerUrl: '${storage.outputs.blobEndpoint}${secondPackageContainer}'
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    ipSecurityRestrictions: ipSecurityRestrictions
    componentName: insights.outputs.name
    settings: secondIsLive ? appSettings : union(appSettings, restingSettings)
    taskHubName: secondTaskHub
  }
}

module premiumApp 'modules/function-app-premium.bicep' = if (plan == 'premium') {
  scope: group
  name: 'function-app-premium'
  params: {
    name: appName
    location: location
    tags: allTags
    identityResourceId: identity.outputs.resourceId
    identityClientId: identity.outputs.clientId
    pythonVersion: pythonVersion
    scale: premium
    packageContainerUrl: '${storage.outputs.blobEndpoint}${packageContainer}'
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    ipSecurityRestrictions: ipSecurityRestrictions
    componentName: insights.outputs.name
    settings: appSettings
    restingSettings: restingSettings
    taskHubName: taskHub
    stagingTaskHubName: stagingTaskHub
  }
}

var firstHostName = plan == 'flex' ? flexApp!.outputs.hostName : premiumApp!.outputs.hostName
var liveHostName = secondIsLive ? secondFlexApp!.outputs.hostName : firstHostName

module alertVault 'modules/key-vault.bicep' = if (pagerDuty || slack) {
  scope: group
  name: 'alert-vault'
  params: {
    name: alertVaultName
    location: location
    tags: allTags
    workspaceResourceId: logs.outputs.resourceId
    roles: officerRoles
    private: publicAccess
    allowedAddresses: []
    lock: locks
  }
}

module pagerDutyRelay 'modules/alert-relay.bicep' = if (pagerDuty) {
  scope: group
  name: 'pagerduty-relay'
  params: {
    name: 'logic-${suffix}-pagerduty'
    location: location
    tags: allTags
    receiver: 'pagerduty'
    vaultName: alertVault!.outputs.name
    secretName: 'pagerduty-routing-key'
    workspaceResourceId: logs.outputs.resourceId
  }
}

module slackRelay 'modules/alert-relay.bicep' = if (slack) {
  scope: group
  name: 'slack-relay'
  params: {
    name: 'logic-${suffix}-slack'
    location: location
    tags: allTags
    receiver: 'slack'
    vaultName: alertVault!.outputs.name
    secretName: 'slack-webhook-url'
    workspaceResourceId: logs.outputs.resourceId
  }
}

module actionGroups 'modules/action-groups.bicep' = {
  scope: group
  name: 'action-groups'
  params: {
    prefix: 'ag-${suffix}'
    tags: allTags
    emails: alertEmails
    pagerDutyRelayId: pagerDuty ? pagerDutyRelay!.outputs.resourceId : ''
    runbookBaseUrl: runbookBaseUrl
    slackRelayId: slack ? slackRelay!.outputs.resourceId : ''
  }
}

module availability 'modules/availability.bicep' = {
  scope: group
  name: 'availability'
  params: {
    name: 'ready-${suffix}'
    location: location
    tags: allTags
    componentResourceId: insights.outputs.resourceId
    hostName: liveHostName
    actionGroupId: actionGroups.outputs.ids.critical
    runbookBaseUrl: runbookBaseUrl
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  name: 'alerts'
  params: {
    location: location
    tags: allTags
    componentResourceId: insights.outputs.resourceId
    apps: concat(
      [{ suffix: '', resourceId: plan == 'flex' ? flexApp!.outputs.resourceId : premiumApp!.outputs.resourceId }],
      hasSecondApp ? [{ suffix: '-b', resourceId: secondFlexApp!.outputs.resourceId }] : []
    )
    actionGroupIds: actionGroups.outputs.ids
    runbookBaseUrl: runbookBaseUrl
    silenced: backupStorage ? [] : ['BackupOverdue']
  }
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  name: 'workbook'
  params: {
    location: location
    tags: allTags
    componentResourceId: insights.outputs.resourceId
  }
}

module budget 'modules/budget.bicep' = {
  scope: group
  name: 'budget'
  params: {
    name: 'budget-${suffix}'
    amount: monthlyBudget
    startDate: budgetStartDate
    emails: alertEmails
    actionGroupId: actionGroups.outputs.ids.warning
  }
}

@description('Resource group.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the function app; of the first of two.')
output AZURE_FUNCTION_APP_NAME string = plan == 'flex' ? flexApp!.outputs.name : premiumApp!.outputs.name

@description('Address that the service hook is given.')
output AZURE_WEBHOOK_URL string = 'https://${liveHostName}/gateway/webhook/ado'

@description('Name of the second app; empty: there is none.')
output AZURE_SECOND_FUNCTION_APP_NAME string = hasSecondApp ? secondFlexApp!.outputs.name : ''

@description('Vault that the secrets of the app are written into.')
output AZURE_KEY_VAULT_NAME string = vault.outputs.name

@description('Vault that the secrets of PagerDuty and Slack are written into; empty: none.')
output AZURE_ALERT_VAULT_NAME string = pagerDuty || slack ? alertVault!.outputs.name : ''

@description('Address that the app\'s requests come from in a private network; empty: several of Azure\'s.')
output AZURE_EGRESS_ADDRESS string = privateNetwork ? network!.outputs.egressAddress : ''

@description('Where dumps of the database go: the destination of ops/backup.sh; empty without a storage account for them.')
output AZURE_BACKUP_URL string = backupStorage ? '${backups!.outputs.blobEndpoint}database' : ''

@description('Object id of the app\'s identity, which Azure DevOps gets as a user.')
output AZURE_AGENT_PRINCIPAL_ID string = identity.outputs.principalId
