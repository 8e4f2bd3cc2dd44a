// The app on Elastic Premium with the slot `staging`. Each slot has a task hub of its own, which
// stays with the slot when they are swapped: a swap puts other code on the running jobs of both, so
// the pipeline shifts traffic and waits instead (docs/deployment.md).
// The package is a blob that the identity reads; a content share would need the storage account's key.

import { premiumScale } from 'types.bicep'

@description('Name of the app; also of its host name.')
@minLength(2)
@maxLength(32)
param name string

@description('Region.')
param location string

@description('Tags of the app and its plan.')
param tags object

@description('Identity that the app acts as.')
param identityResourceId string

@description('Client id of that identity.')
param identityClientId string

@description('Version of Python.')
@allowed(['3.11', '3.12'])
param pythonVersion string

@description('Size and number of instances, and the packages.')
param scale premiumScale

@description('Address of the container with the packages.')
param packageContainerUrl string

@description('Subnet that the app sends from; empty: none.')
param subnetId string

@description('Rules about who may call; empty: everybody, and the app checks each call.')
param ipSecurityRestrictions array

@description('Application Insights component that telemetry goes to.')
param componentName string

@description('App settings; those of the host, the slot and telemetry are added.')
param settings object

@description('Further settings of the slot `staging`, which stay with it.')
param restingSettings object

@description('Task hub of production.')
@minLength(3)
@maxLength(45)
param taskHubName string

@description('Task hub of the slot `staging`.')
@minLength(3)
@maxLength(45)
param stagingTaskHubName string

var hostSettings = {
  FUNCTIONS_EXTENSION_VERSION: '~4'
  FUNCTIONS_WORKER_RUNTIME: 'python'
  WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID: identityResourceId
  APPLICATIONINSIGHTS_CONNECTION_STRING: component.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
}
var productionPackage = empty(scale.package)
  ? {}
  : { WEBSITE_RUN_FROM_PACKAGE: '${packageContainerUrl}/${scale.package}' }
var stagingPackage = empty(scale.stagingPackage)
  ? {}
  : { WEBSITE_RUN_FROM_PACKAGE: '${packageContainerUrl}/${scale.stagingPackage}' }
var siteConfig = {
  linuxFxVersion: 'PYTHON|${pythonVersion}'
  minTlsVersion: '1.2'
  scmMinTlsVersion: '1.2'
  ftpsState: 'Disabled'
  http20Enabled: true
  healthCheckPath: '/gateway/health'
  functionsRuntimeScaleMonitoringEnabled: true
  minimumElasticInstanceCount: scale.minimumInstanceCount
  vnetRouteAllEnabled: !empty(subnetId)
  ipSecurityRestrictions: ipSecurityRestrictions
  ipSecurityRestrictionsDefaultAction: empty(ipSecurityRestrictions) ? 'Allow' : 'Deny'
  scmIpSecurityRestrictionsUseMain: false
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'elastic'
  sku: { name: scale.size, tier: 'ElasticPremium', capacity: scale.minimumInstanceCount }
  properties: {
    reserved: true
    maximumElasticWorkerCount: scale.maximumInstanceCount
    zoneRedundant: scale.zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'agent' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityResourceId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    keyVaultReferenceIdentity: identityResourceId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: siteConfig
  }
}

resource slotNames 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'slotConfigNames'
  properties: {
    appSettingNames: concat(
      ['TASKHUB_NAME', 'CODE_AGENT_PUBLIC_URL', 'AzureFunctionsWebHost__hostid'],
      objectKeys(restingSettings)
    )
  }
}

resource appSettings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(settings, hostSettings, productionPackage, {
    TASKHUB_NAME: taskHubName
    CODE_AGENT_PUBLIC_URL: 'https://${app.properties.defaultHostName}'
    AzureFunctionsWebHost__hostid: take(uniqueString(app.id), 32)
  })
  dependsOn: [slotNames]
}

resource noFtpPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource noScmPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

resource staging 'Microsoft.Web/sites/slots@2024-11-01' = {
  parent: app
  name: 'staging'
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityResourceId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    keyVaultReferenceIdentity: identityResourceId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: siteConfig
  }
}

resource stagingSettings 'Microsoft.Web/sites/slots/config@2024-11-01' = {
  parent: staging
  name: 'appsettings'
  properties: union(settings, hostSettings, stagingPackage, restingSettings, {
    TASKHUB_NAME: stagingTaskHubName
    CODE_AGENT_PUBLIC_URL: 'https://${staging.properties.defaultHostName}'
    AzureFunctionsWebHost__hostid: take(uniqueString(staging.id), 32)
  })
  dependsOn: [slotNames]
}

resource noStagingFtpPasswords 'Microsoft.Web/sites/slots/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: staging
  name: 'ftp'
  properties: { allow: false }
}

resource noStagingScmPasswords 'Microsoft.Web/sites/slots/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: staging
  name: 'scm'
  properties: { allow: false }
}

@description('Name.')
output name string = app.name

@description('Resource id.')
output resourceId string = app.id

@description('Host name.')
output hostName string = app.properties.defaultHostName
