// A storage account without keys: everybody who reaches it has a role of their own.

import { privateAccess, roleAssignment, roleIds, storageRedundancy } from 'types.bicep'

@description('Name: lower-case letters and digits.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('How copies are kept.')
param redundancy storageRedundancy

@description('Containers of blobs.')
param containers string[]

@description('Days that deleted and overwritten blobs can be brought back.')
@minValue(1)
@maxValue(365)
param softDeleteDays int = 14

@description('Days after which old versions of blobs are deleted for good.')
@minValue(1)
param versionDays int = 30

@description('Blobs that are deleted by their age: prefix (container, `/`, name) and days since the last change.')
param expiries { name: string, prefix: string, days: int }[]

@description('Roles on the account.')
param roles roleAssignment[]

@description('Services that get a private endpoint; with one, the internet is shut out.')
param privateServices ('blob' | 'queue' | 'table')[] = []

@description('Where private endpoints go.')
param private privateAccess

@description('Whether a lock keeps the account from being deleted.')
param lock bool

var isPrivate = !empty(private.subnetId) && !empty(privateServices)

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: true
    deleteRetentionPolicy: { enabled: true, days: softDeleteDays }
    containerDeleteRetentionPolicy: { enabled: true, days: softDeleteDays }
  }
}

resource blobContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [
  for container in containers: {
    parent: blobs
    name: container
    properties: { publicAccess: 'None' }
  }
]

var versionRule = {
  name: 'delete-old-versions'
  enabled: true
  type: 'Lifecycle'
  definition: {
    filters: { blobTypes: ['blockBlob'] }
    actions: { version: { delete: { daysAfterCreationGreaterThan: versionDays } } }
  }
}
var expiryRules = [
  for expiry in expiries: {
    name: expiry.name
    enabled: true
    type: 'Lifecycle'
    definition: {
      filters: { blobTypes: ['blockBlob'], prefixMatch: [expiry.prefix] }
      actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: expiry.days } } }
    }
  }
]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: { rules: concat([versionRule], expiryRules) }
  }
  dependsOn: [blobs]
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for assignment in roles: {
    scope: account
    name: guid(account.id, assignment.principalId, assignment.role)
    properties: {
      principalId: assignment.principalId
      principalType: assignment.principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[assignment.role])
    }
  }
]

module endpoints 'private-endpoint.bicep' = [
  for service in privateServices: if (isPrivate) {
    name: 'private-${name}-${service}'
    params: {
      name: 'pe-${name}-${service}'
      location: location
      tags: tags
      targetResourceId: account.id
      service: service
      private: private
    }
  }
]

resource guard 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  scope: account
  name: 'keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds the state of running jobs, or backups.'
  }
}

@description('Resource id.')
output resourceId string = account.id

@description('Name.')
output name string = account.name

@description('Address of the blobs, with a slash at its end.')
output blobEndpoint string = account.properties.primaryEndpoints.blob
