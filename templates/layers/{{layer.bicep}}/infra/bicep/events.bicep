// The workspace's events, which ask for a training.
param names object
param tags object
param location string

@description('Resource id of the function that relays events, /functions/relay included; none leaves the subscription out.')
param functionId string

var roleIds = loadJsonContent('builtin-roles.json')

resource storage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: names.storage_account
}

resource workspace 'Microsoft.MachineLearningServices/workspaces@2026-05-01' existing = {
  name: names.workspace
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: names.event_topic
  location: location
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: workspace.id
    topicType: 'Microsoft.MachineLearningServices.Workspaces'
  }
}

resource deadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: storage
  name: guid(storage.id, topic.id, 'Storage Blob Data Contributor')
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds['Storage Blob Data Contributor'])
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
  }
}

// The relay asks for one gated training; it cannot release. See infra/relay.
resource drift 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = if (!empty(functionId)) {
  parent: topic
  name: '${names.event_subscription}-drift'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: {
      includedEventTypes: [
        'Microsoft.MachineLearningServices.RunStatusChanged'
      ]
      advancedFilters: [
        {
          operatorType: 'StringContains'
          key: 'data.RunTags.azureml_modelmonitor_threshold_breached'
          values: [
            'has failed due to one or more features violating metric thresholds'
          ]
        }
      ]
    }
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: functionId
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    retryPolicy: {
      maxDeliveryAttempts: 10
      eventTimeToLiveInMinutes: 1440
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: storage.id
          blobContainerName: 'event-dead-letters'
        }
      }
    }
  }
  dependsOn: [
    deadLetters
  ]
}
