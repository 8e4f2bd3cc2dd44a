// A vault: roles instead of access policies, nothing is lost for good, every access is logged.

import { privateAccess, roleAssignment, roleIds } from 'types.bicep'

@description('Name of the vault.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Workspace that keeps the audit log.')
param workspaceResourceId string

@description('Roles on the vault.')
param roles roleAssignment[]

@description('Where a private endpoint goes; with one, the internet is shut out.')
param private privateAccess

@description('Addresses or ranges that reach the vault all the same, such as those of its officers.')
param allowedAddresses string[]

@description('Whether a lock keeps the vault from being deleted.')
param lock bool

var isPrivate = !empty(private.subnetId)

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    enabledForDeployment: false
    enabledForDiskEncryption: false
    enabledForTemplateDeployment: false
    publicNetworkAccess: isPrivate && empty(allowedAddresses) ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      ipRules: map(allowedAddresses, address => { value: address })
    }
  }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: workspaceResourceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for assignment in roles: {
    scope: vault
    name: guid(vault.id, assignment.principalId, assignment.role)
    properties: {
      principalId: assignment.principalId
      principalType: assignment.principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[assignment.role])
    }
  }
]

module endpoint 'private-endpoint.bicep' = if (isPrivate) {
  name: 'private-${name}'
  params: {
    name: 'pe-${name}'
    location: location
    tags: tags
    targetResourceId: vault.id
    service: 'vault'
    private: private
  }
}

resource guard 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  scope: vault
  name: 'keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds the secrets of the app.'
  }
}

@description('Resource id.')
output resourceId string = vault.id

@description('Name.')
output name string = vault.name

@description('Address, with a slash at its end.')
output uri string = vault.properties.vaultUri
