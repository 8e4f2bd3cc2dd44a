using 'main.bicep'

// One file for every environment, side by side: `azd env set DEPLOY_STAGE production` (or the
// variable itself) chooses. What differs from one organisation to the next comes from variables too;
// DEPLOY_SETTINGS is JSON with further settings of the app, such as
// {"CODE_AGENT_PROVIDER": "azure-openai", "CODE_AGENT_ALLOWED_GROUPS": "[Project]\\Contributors"}.

var stages = {
  dev: {
    flex: {
      instanceMemoryMB: 2048
      maximumInstanceCount: 40
      alwaysReadyHttp: 0
      alwaysReadyDurable: 0
      zoneRedundant: false
      httpConcurrency: 16
    }
    postgres: {
      skuName: 'Standard_B1ms'
      tier: 'Burstable'
      storageGB: 32
      backupRetentionDays: 7
      geoRedundantBackup: false
      zoneRedundant: false
    }
    redundancy: 'Standard_LRS'
    privateNetwork: false
    backupStorage: false
    logRetentionDays: 30
    logDailyCapGB: 1
    monthlyBudget: 100
    locks: false
  }
  staging: {
    flex: {
      instanceMemoryMB: 2048
      maximumInstanceCount: 40
      alwaysReadyHttp: 1
      alwaysReadyDurable: 0
      zoneRedundant: false
      httpConcurrency: 16
    }
    postgres: {
      skuName: 'Standard_B2s'
      tier: 'Burstable'
      storageGB: 32
      backupRetentionDays: 7
      geoRedundantBackup: false
      zoneRedundant: false
    }
    redundancy: 'Standard_ZRS'
    privateNetwork: true
    backupStorage: false
    logRetentionDays: 30
    logDailyCapGB: 2
    monthlyBudget: 300
    locks: false
  }
  production: {
    flex: {
      instanceMemoryMB: 2048
      maximumInstanceCount: 40
      alwaysReadyHttp: 1
      alwaysReadyDurable: 1
      zoneRedundant: false
      httpConcurrency: 16
    }
    postgres: {
      skuName: 'Standard_D2ds_v5'
      tier: 'GeneralPurpose'
      storageGB: 64
      backupRetentionDays: 35
      geoRedundantBackup: true
      zoneRedundant: true
    }
    redundancy: 'Standard_GZRS'
    privateNetwork: true
    backupStorage: true
    logRetentionDays: 90
    logDailyCapGB: 5
    monthlyBudget: 1000
    locks: true
  }
}
var chosen = readEnvironmentVariable('DEPLOY_STAGE', 'dev')
var emails = readEnvironmentVariable('DEPLOY_ALERT_EMAILS')
var addresses = readEnvironmentVariable('DEPLOY_OFFICER_ADDRESSES', '')
var officer = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')

param stage = chosen
param name = readEnvironmentVariable('DEPLOY_NAME', 'codeagent')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param azdEnvironment = readEnvironmentVariable('AZURE_ENV_NAME', 'code-agent-${chosen}')
param organisationUrl = readEnvironmentVariable('AZURE_DEVOPS_ORGANISATION_URL')
param azureDevOpsAuthentication = readEnvironmentVariable('AZURE_DEVOPS_AUTHENTICATION', 'managed-identity')
param settings = json(readEnvironmentVariable('DEPLOY_SETTINGS', '{}'))
param plan = readEnvironmentVariable('DEPLOY_PLAN', 'flex')
param premium = {
  size: 'EP1'
  minimumInstanceCount: 1
  maximumInstanceCount: 10
  zoneRedundant: false
  package: readEnvironmentVariable('DEPLOY_PACKAGE', '')
  stagingPackage: readEnvironmentVariable('DEPLOY_STAGING_PACKAGE', '')
}
param secondApp = readEnvironmentVariable('DEPLOY_SECOND_APP', 'no') == 'yes'
// Two apps: never taken for granted, as the hook calls the one that is live. `any`: the compiler knows
// the texts of both branches, and would refuse the empty one where there is one app, too.
param liveSide = any(readEnvironmentVariable('DEPLOY_SECOND_APP', 'no') == 'yes' ? readEnvironmentVariable('DEPLOY_LIVE_SIDE', '') : 'a')
param flex = stages[chosen].flex
param database = readEnvironmentVariable('DEPLOY_DATABASE', 'postgres')
param postgres = stages[chosen].postgres
param secretOfficers = empty(officer)
  ? []
  : [
      {
        principalId: officer
        name: 'deployer'
        principalType: readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User')
      }
    ]
param officerAddresses = empty(addresses) ? [] : split(addresses, ',')
param privateNetwork = stages[chosen].privateNetwork
param redundancy = stages[chosen].redundancy
param backupStorage = stages[chosen].backupStorage
param logRetentionDays = stages[chosen].logRetentionDays
param logDailyCapGB = stages[chosen].logDailyCapGB
param alertEmails = split(emails, ',')
param pagerDuty = readEnvironmentVariable('DEPLOY_PAGERDUTY', 'no') == 'yes'
param slack = readEnvironmentVariable('DEPLOY_SLACK', 'no') == 'yes'
param runbookBaseUrl = readEnvironmentVariable('DEPLOY_RUNBOOK_URL', '')
param monthlyBudget = stages[chosen].monthlyBudget
param azureOpenAiResourceId = readEnvironmentVariable('DEPLOY_AZURE_OPENAI_RESOURCE_ID', '')
param locks = stages[chosen].locks
