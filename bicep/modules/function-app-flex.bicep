// The app on Flex Consumption: scales to nothing and to many, code and state reached by identity.
// Many properties of other plans are refused there, and what the plan lacks (FTP) needs no turning off.
// Source: https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations

import { flexScale } from 'types.bicep'

@description('Name of the app; also of its host name.')
@minLength(2)
@maxLength(60)
param name string

@description('Region.')
param location string

@description('Tags of the app and its plan.')
param tags object

@description('Tags by which azd finds the app that it deploys.')
param azdTags object = { 'azd-service-name': 'agent' }

@description('Identity that the app acts as.')
param identityResourceId string

@description('Client id of that identity.')
param identityClientId string

@description('Version of Python.')
@allowed(['3.11', '3.12'])
param pythonVersion string

@description('Memory and number of instances.')
param scale flexScale

@description('Address of the container with the deployed package.')
param packageContainerUrl string

@description('Subnet that the app sends from; empty: none.')
param subnetId string

@description('Rules about who may call; empty: everybody, and the app checks each call.')
param ipSecurityRestrictions array

@description('Application Insights component that telemetry goes to.')
param componentName string

@description('App settings; telemetry\'s are added.')
param settings object

@description('Task hub of this app.')
@minLength(3)
@maxLength(45)
param taskHubName string

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: scale.zoneRedundant }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, azdTags)
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
    siteConfig: union(
      { minTlsVersion: '1.2' },
      empty(ipSecurityRestrictions)
        ? {}
        : { ipSecurityRestrictions: ipSecurityRestrictions, ipSecurityRestrictionsDefaultAction: 'Deny' }
    )
    functionAppConfig: {
      runtime: { name: 'python', version: pythonVersion }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityResourceId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: scale.instanceMemoryMB
        maximumInstanceCount: scale.maximumInstanceCount
        alwaysReady: filter(
          [
            { name: 'http', instanceCount: scale.alwaysReadyHttp }
            { name: 'durable', instanceCount: scale.alwaysReadyDurable }
          ],
          group => group.instanceCount > 0
        )
        triggers: { http: { perInstanceConcurrency: scale.httpConcurrency } }
      }
    }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(settings, {
    TASKHUB_NAME: taskHubName
    CODE_AGENT_PUBLIC_URL: 'https://${app.properties.defaultHostName}'
    APPLICATIONINSIGHTS_CONNECTION_STRING: component.properties.ConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  })
}

resource noScmPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

@description('Name.')
output name string = app.name

@description('Resource id.')
output resourceId string = app.id

@description('Host name.')
output hostName string = app.properties.defaultHostName
