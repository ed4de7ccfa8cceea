// What is logged, what raises an alarm, and the page that shows it.
param names object
param tags object
param location string

@description('Whose logs the data\'s classification asks for.')
@allowed([
  'workspace'
  'vault'
  'registry'
  'storage'
])
param diagnostics array

@description('Resource ids of online endpoints, which the CI system makes, by a short name.')
param endpointIds object

var allLogs = [
  {
    categoryGroup: 'allLogs'
    enabled: true
  }
]
var allMetrics = [
  {
    category: 'AllMetrics'
    enabled: true
  }
]

resource storage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: names.storage_account
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' existing = {
  parent: storage
  name: 'default'
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: names.key_vault
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: names.container_registry
}

resource workspace 'Microsoft.MachineLearningServices/workspaces@2026-05-01' existing = {
  name: names.workspace
}

resource logs 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  name: names.log_analytics
}

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' existing = {
  name: names.action_group
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: names.event_topic
}

resource ofWorkspace 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (contains(diagnostics, 'workspace')) {
  scope: workspace
  name: 'diagnostics-workspace'
  properties: {
    workspaceId: logs.id
    logAnalyticsDestinationType: 'Dedicated'
    logs: allLogs
    metrics: allMetrics
  }
}

resource ofVault 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (contains(diagnostics, 'vault')) {
  scope: vault
  name: 'diagnostics-vault'
  properties: {
    workspaceId: logs.id
    logAnalyticsDestinationType: 'Dedicated'
    logs: allLogs
    metrics: allMetrics
  }
}

resource ofRegistry 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (contains(diagnostics, 'registry')) {
  scope: registry
  name: 'diagnostics-registry'
  properties: {
    workspaceId: logs.id
    logAnalyticsDestinationType: 'Dedicated'
    logs: allLogs
    metrics: allMetrics
  }
}

resource ofStorage 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (contains(diagnostics, 'storage')) {
  scope: blobs
  name: 'diagnostics-storage'
  properties: {
    workspaceId: logs.id
    logAnalyticsDestinationType: 'Dedicated'
    logs: allLogs
    metrics: allMetrics
  }
}

module ofEndpoints 'endpoint-logs.bicep' = [for endpoint in items(endpointIds): {
  params: {
    name: endpoint.key
    workspaceName: names.workspace
    endpointName: last(split(endpoint.value, '/'))
    logsId: logs.id
  }
}]

resource failedJobs 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {
  name: '${names.alert}-failed-jobs'
  location: location
  tags: tags
  properties: {
    description: 'A job has failed.'
    enabled: true
    severity: 2
    scopes: [
      logs.id
    ]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    skipQueryValidation: true // the table comes with the first event
    autoMitigate: false
    criteria: {
      allOf: [
        {
          query: 'AmlRunStatusChangedEvent | where Status == \'Failed\''
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: {
      actionGroups: [
        actionGroup.id
      ]
    }
  }
}

resource lostEvents 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: '${names.alert}-lost-events'
  location: 'global'
  tags: tags
  properties: {
    description: 'An event did not reach the relay.'
    enabled: true
    severity: 2
    scopes: [
      topic.id
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'Metric1'
          metricNamespace: 'Microsoft.EventGrid/systemTopics'
          metricName: 'DeadLetteredCount'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: [
      {
        actionGroupId: actionGroup.id
      }
    ]
  }
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: names.workbook
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Machine learning operations: ${names.workspace}'
    category: 'workbook'
    sourceId: toLower(logs.id)
    serializedData: string(loadJsonContent('../workbook.json'))
  }
}
