using 'main.bicep'

// One file for every environment, side by side: `azd env set CODE_AGENT_STAGE production` (or the
// variable itself) chooses. What differs from one organisation to the next comes from variables too.

var stages = {
  dev: {
    flex: { instanceMemoryMB: 2048, maximumInstanceCount: 40, alwaysReadyHttp: 0, alwaysReadyDurable: 0, httpConcurrency: 16 }
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
    settings: { CODE_AGENT_PROVIDER: 'stub' }
  }
  staging: {
    flex: { instanceMemoryMB: 2048, maximumInstanceCount: 40, alwaysReadyHttp: 1, alwaysReadyDurable: 0, httpConcurrency: 16 }
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
    settings: { CODE_AGENT_PROVIDER: readEnvironmentVariable('CODE_AGENT_PROVIDER', 'stub') }
  }
  production: {
    flex: { instanceMemoryMB: 2048, maximumInstanceCount: 40, alwaysReadyHttp: 1, alwaysReadyDurable: 1, httpConcurrency: 16 }
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
    settings: { CODE_AGENT_PROVIDER: readEnvironmentVariable('CODE_AGENT_PROVIDER', 'stub') }
  }
}
var chosen = readEnvironmentVariable('CODE_AGENT_STAGE', 'dev')
var emails = readEnvironmentVariable('CODE_AGENT_ALERT_EMAILS')
var officer = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')

param stage = chosen
param name = readEnvironmentVariable('CODE_AGENT_NAME', 'codeagent')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param azdEnvironment = readEnvironmentVariable('AZURE_ENV_NAME', 'code-agent-${chosen}')
param organisationUrl = readEnvironmentVariable('AZURE_DEVOPS_ORGANISATION_URL')
param azureDevOpsAuthentication = readEnvironmentVariable('AZURE_DEVOPS_AUTHENTICATION', 'managed-identity')
param settings = union(stages[chosen].settings, {
  CODE_AGENT_ALLOWED_GROUPS: readEnvironmentVariable('CODE_AGENT_ALLOWED_GROUPS', '')
  CODE_AGENT_ALLOWED_USERS: readEnvironmentVariable('CODE_AGENT_ALLOWED_USERS', '')
})
param plan = readEnvironmentVariable('CODE_AGENT_PLAN', 'flex')
param flex = stages[chosen].flex
param database = readEnvironmentVariable('CODE_AGENT_DATABASE', 'postgres')
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
param privateNetwork = stages[chosen].privateNetwork
param redundancy = stages[chosen].redundancy
param backupStorage = stages[chosen].backupStorage
param logRetentionDays = stages[chosen].logRetentionDays
param logDailyCapGB = stages[chosen].logDailyCapGB
param alertEmails = split(emails, ',')
param pagerDuty = readEnvironmentVariable('CODE_AGENT_PAGERDUTY', 'no') == 'yes'
param slack = readEnvironmentVariable('CODE_AGENT_SLACK', 'no') == 'yes'
param runbookBaseUrl = readEnvironmentVariable('CODE_AGENT_RUNBOOK_URL', '')
param monthlyBudget = stages[chosen].monthlyBudget
param azureOpenAiResourceId = readEnvironmentVariable('CODE_AGENT_AZURE_OPENAI_RESOURCE_ID', '')
param locks = stages[chosen].locks
