// What the resource group may cost in a month; people are told before and when it is spent.

@description('Name of the budget.')
@minLength(1)
@maxLength(63)
param name string

@description('Amount in the currency of the subscription.')
@minValue(1)
param amount int

@description('First day of the month from which it counts, yyyy-MM-dd.')
@minLength(10)
param startDate string

@description('E-mail addresses that are told.')
@minLength(1)
param emails string[]

@description('Action group that is told as well.')
param actionGroupId string

resource budget 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: startDate }
    notifications: {
      actual50: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 50
        thresholdType: 'Actual'
        contactEmails: emails
      }
      actual90: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 90
        thresholdType: 'Actual'
        contactEmails: emails
        contactGroups: [actionGroupId]
      }
      forecast100: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: emails
        contactGroups: [actionGroupId]
      }
    }
  }
}
