// Postgres Flexible Server that knows no passwords: whoever connects brings a token of Entra ID.

import { postgresServer, principal, privateAccess } from 'types.bicep'

@description('Name of the server.')
@minLength(3)
@maxLength(63)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Size, disk, backups and standby.')
param server postgresServer

@description('Name of the database.')
@minLength(1)
@maxLength(63)
param databaseName string

@description('Administrators of the server.')
@minLength(1)
param administrators principal[]

@description('Workspace that keeps the log.')
param workspaceResourceId string

@description('Where a private endpoint goes; with one, the internet is shut out.')
param private privateAccess

@description('Whether a lock keeps the server from being deleted.')
param lock bool

var isPrivate = !empty(private.subnetId)

resource postgres 'Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: server.skuName, tier: server.tier }
  properties: {
    version: '16'
    createMode: 'Default'
    authConfig: {
      activeDirectoryAuth: 'Enabled'
      passwordAuth: 'Disabled'
      tenantId: tenant().tenantId
    }
    storage: { storageSizeGB: server.storageGB, autoGrow: 'Enabled' }
    backup: {
      backupRetentionDays: server.backupRetentionDays
      geoRedundantBackup: server.geoRedundantBackup ? 'Enabled' : 'Disabled'
    }
    highAvailability: { mode: server.zoneRedundant ? 'ZoneRedundant' : 'Disabled' }
    network: { publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled' }
    maintenanceWindow: { customWindow: 'Enabled', dayOfWeek: 0, startHour: 3, startMinute: 0 }
  }
}

resource database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2024-08-01' = {
  parent: postgres
  name: databaseName
  properties: { charset: 'UTF8', collation: 'en_US.utf8' }
}

// The server takes one change at a time: what follows is done one after the other.
@batchSize(1)
resource entraAdministrators 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2024-08-01' = [
  for administrator in administrators: {
    parent: postgres
    name: administrator.principalId
    properties: {
      principalName: administrator.name
      principalType: administrator.principalType
      tenantId: tenant().tenantId
    }
    dependsOn: [database]
  }
]

var configuration = {
  'azure.extensions': 'PG_STAT_STATEMENTS'
  log_checkpoints: 'on'
  'pg_stat_statements.track': 'top'
}

@batchSize(1)
resource settings 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2024-08-01' = [
  for setting in items(configuration): {
    parent: postgres
    name: setting.key
    properties: { value: setting.value, source: 'user-override' }
    dependsOn: [entraAdministrators]
  }
]

// 0.0.0.0 stands for every address of Azure, other people's included: a token is needed all the same.
resource fromAzure 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2024-08-01' = if (!isPrivate) {
  parent: postgres
  name: 'from-azure'
  properties: { startIpAddress: '0.0.0.0', endIpAddress: '0.0.0.0' }
  dependsOn: [settings]
}

resource log 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: postgres
  name: 'log'
  properties: {
    workspaceId: workspaceResourceId
    logs: [{ category: 'PostgreSQLLogs', enabled: true }]
  }
}

module endpoint 'private-endpoint.bicep' = if (isPrivate) {
  name: 'private-${name}'
  params: {
    name: 'pe-${name}'
    location: location
    tags: tags
    targetResourceId: postgres.id
    service: 'postgresqlServer'
    private: private
  }
  dependsOn: [settings]
}

resource guard 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  scope: postgres
  name: 'keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds the records of all jobs.'
  }
}

@description('Resource id.')
output resourceId string = postgres.id

@description('Host name.')
output host string = postgres.properties.fullyQualifiedDomainName
