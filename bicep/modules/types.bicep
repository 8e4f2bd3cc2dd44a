// Types that several files share, and the ids of the built-in roles that are given away.

@export()
@description('How storage keeps its copies: in one datacentre, three zones, a second region, or both.')
type storageRedundancy = 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS'

@export()
@description('A role for one identity on the resource of the module that takes it.')
type roleAssignment = {
  @description('Object id of the identity.')
  principalId: string

  @description('Name of the built-in role, as in `roleIds`.')
  role: string

  @description('Kind of the identity.')
  principalType: 'ServicePrincipal' | 'User' | 'Group'
}

@export()
@description('A person or group of Entra ID.')
type principal = {
  @description('Object id.')
  principalId: string

  @description('Name as Entra ID shows it; for Postgres the name of the role.')
  name: string

  @description('Kind of the principal.')
  principalType: 'User' | 'Group' | 'ServicePrincipal'
}

@export()
@description('Where private endpoints of a resource go. Empty ids: the resource is reached over the internet.')
type privateAccess = {
  @description('Subnet of the endpoints.')
  subnetId: string

  @description('Private DNS zones: service (`blob`, `queue`, `table`, `vault`, `postgresqlServer`) to id.')
  zoneIds: object
}

@export()
@description('Instances of a Flex Consumption plan.')
type flexScale = {
  @description('Memory of an instance, in MB.')
  instanceMemoryMB: 512 | 2048 | 4096

  @description('The most instances; each may open two connections to the database.')
  @minValue(40)
  @maxValue(1000)
  maximumInstanceCount: int

  @description('Instances of the webhook that are always warm; 0: the first delivery after a pause waits.')
  @minValue(0)
  @maxValue(100)
  alwaysReadyHttp: int

  @description('Instances of orchestrators and activities that are always warm.')
  @minValue(0)
  @maxValue(100)
  alwaysReadyDurable: int

  @description('Spread over the zones of the region, where the plan can; wants two warm instances of each kind.')
  zoneRedundant: bool

  @description('Webhook deliveries that one instance answers at once.')
  @minValue(1)
  @maxValue(1000)
  httpConcurrency: int
}

@export()
@description('Instances of an Elastic Premium plan, and the packages that run on it.')
type premiumScale = {
  @description('Size of an instance.')
  size: 'EP1' | 'EP2' | 'EP3'

  @description('Instances that always run.')
  @minValue(1)
  @maxValue(20)
  minimumInstanceCount: int

  @description('The most instances.')
  @minValue(1)
  @maxValue(100)
  maximumInstanceCount: int

  @description('Spread over the zones of the region; wants three instances or more.')
  zoneRedundant: bool

  @description('Name of the package in the container `deployments` that production runs; empty: none yet.')
  package: string

  @description('Name of the package that the slot `staging` runs; empty: none yet.')
  stagingPackage: string
}

@export()
@description('A Postgres Flexible Server.')
type postgresServer = {
  @description('Size, such as `Standard_B2s` or `Standard_D2ds_v5`.')
  skuName: string

  @description('Class of the size.')
  tier: 'Burstable' | 'GeneralPurpose' | 'MemoryOptimized'

  @description('Disk in GB; grows by itself.')
  @minValue(32)
  @maxValue(16384)
  storageGB: int

  @description('Days to which the server can be restored, to any minute.')
  @minValue(7)
  @maxValue(35)
  backupRetentionDays: int

  @description('Keep backups in the paired region too. Cannot be changed later.')
  geoRedundantBackup: bool

  @description('A standby in another zone; not for Burstable.')
  zoneRedundant: bool
}

@export()
@description('Built-in roles: name to id. Source: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles')
var roleIds = {
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  'Storage Blob Data Contributor': 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  'Monitoring Metrics Publisher': '3913510d-42f4-4e42-8a64-420c390055eb'
  'Key Vault Secrets User': '4633458b-17de-408a-b874-0445c86b69e6'
  'Key Vault Secrets Officer': 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  'Durable Task Data Contributor': '0ad04412-c4d5-4796-b79c-f76d14c8d402'
  'Cognitive Services OpenAI User': '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
}
