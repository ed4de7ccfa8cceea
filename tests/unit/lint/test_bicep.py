"""The validator of Bicep lets sound files pass, and finds what is planted, on its line."""

from pathlib import Path

import pytest
from mlops_new.lint.bicep import faults
from mlops_new.lint.diagnostics import Diagnostic

BICEP = """\
targetScope = 'resourceGroup'

@description('Where it stands.')
@allowed(['westeurope', 'northeurope'])
param location string
param addresses array = []
param keyName string?
param rule networkRule?

@export()
type networkRule = { value: string, action: 'Allow' | 'Deny' | null }

var limits = { least: 0, most: 4 }
var closed = { ...limits, rules: map(addresses, address => { value: address }) }

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: take('st${uniqueString(resourceGroup().id)}', 24)
  location: location
  kind: 'StorageV2'
  sku: { name: 'Standard_ZRS' }
  properties: {
    minimumTlsVersion: 'TLS1_2'
    allowSharedKeyAccess: false
    networkAcls: {
      defaultAction: 'Deny'
      ipRules: [for (address, i) in addresses: { value: address, action: i > 9 ? rule!.action : 'Allow' }]
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: { deleteRetentionPolicy: { enabled: true, days: 7 } }
  }
}

resource workspace 'Microsoft.MachineLearningServices/workspaces@2026-05-01' existing = {
  name: 'mlw'
}

resource cluster 'Microsoft.MachineLearningServices/workspaces/computes@2026-05-01' = if (!empty(addresses)) {
  parent: workspace
  name: 'cpu'
  location: location
  properties: {
    computeType: 'AmlCompute'
    properties: {
      vmSize: 'Standard_D4s_v5'
      scaleSettings: { minNodeCount: limits.least, maxNodeCount: closed.most }
    }
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'topic'
  location: location
  properties: {
    source: workspace.id
    topicType: 'Microsoft.MachineLearningServices.Workspaces'
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: workspace
  name: 'logs'
  properties: {
    workspaceId: keyName ?? loadTextContent('id.txt')
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

module more 'more.bicep' = [for address in addresses: {
  params: {
    name: address
    count: 2
  }
}]

module one 'more.bicep' = {
  params: {
    name: account.name
    count: 1
  }
}

output made string = one.outputs.made
"""
MODULE = """\
param name string
param count int
param suffix string = ''

output made string = '${name}${count}${suffix}'
"""
# The line of a fault, what is said of it, and what is planted for it instead of what.
PLANTED = [
    (18, "cannot be parsed", "  location: location\n  kind", "  location location\n  kind"),
    (1, "no scope", "'resourceGroup'\n", "'resourcegroups'\n"),
    (4, "decorator 'alowed'", "@allowed(", "@alowed("),
    (5, "type 'text'", "param location string", "param location text"),
    (6, "no array", "param addresses array = []", "param addresses array = 'none'"),
    (13, "declared twice", "var limits", "var location"),
    (17, "Did you mean 'uniqueString'", "uniqueString(", "uniqeString("),
    (18, "Did you mean 'location'", "  location: location\n  kind", "  location: locaton\n  kind"),
    (14, "Nobody declares 'adress'", "value: address }) }", "value: adress }) }"),
    (13, "Nobody uses 'spare'", "var limits", "var spare = 1\nvar limits"),
    (16, "no type of a resource", "storageAccounts@2026-04-01", "storageAccounts@2026-4-1"),
    (16, "no type Microsoft.Storage/storageAccount.", "Storage/storageAccounts@", "Storage/storageAccount@"),
    (16, "lacks 'kind'", "  kind: 'StorageV2'\n", ""),
    (23, "Did you mean 'allowSharedKeyAccess'", "allowSharedKeyAccess", "allowSharedKeysAccess"),
    (23, "type bool", "allowSharedKeyAccess: false", "allowSharedKeyAccess: 'false'"),
    (58, "decided by Azure", "    topicType:", "    provisioningState: 'Succeeded'\n    topicType:"),
    (22, "cannot be 'TLS12'", "'TLS1_2'", "'TLS12'"),
    (20, "takes an object", "{ name: 'Standard_ZRS' }", "'Standard_ZRS'"),
    (25, "cannot be 'Denied'", "defaultAction: 'Deny'", "defaultAction: 'Denied'"),
    (26, "'valu'", "value: address, action", "valu: address, action"),
    (32, "'day'", "days: 7", "day: 7"),
    (45, "cannot be 'AmlComputer'", "'AmlCompute'", "'AmlComputer'"),
    (48, "lacks 'maxNodeCount'", "maxNodeCount", "maxNodes"),
    (58, "Did you mean 'topicType'", "topicType:", "topicTyp:"),
    (67, "lacks 'enabled'", "categoryGroup: 'allLogs', enabled: true", "categoryGroup: 'allLogs'"),
    (66, "ids.txt does not exist", "'id.txt'", "'ids.txt'"),
    (78, "moer.bicep does not exist", "one 'more.bicep'", "one 'moer.bicep'"),
    (75, "no parameter 'size'", "    count: 2\n", "    count: 2\n    size: 3\n"),
    (78, "needs the parameter 'count'", "    count: 1\n", ""),
    (81, "another type", "count: 1", "count: 'one'"),
    (85, "hands out no 'maid'", "one.outputs.made", "one.outputs.maid"),
    (85, "secret", "one.outputs.made", "account.listKeys().keys[0].value"),
]  # fmt: skip


def check(folder: Path, main: str) -> list[Diagnostic]:
    for path, text in {"main.bicep": main, "more.bicep": MODULE, "id.txt": "id"}.items():
        (folder / path).write_text(text, encoding="utf-8")
    return list(faults(folder, ["main.bicep", "more.bicep"]))


def test_a_sound_file_passes(tmp_path: Path) -> None:
    assert check(tmp_path, BICEP) == []


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted[1])
def test_a_planted_fault_is_found(planted: tuple[int, str, str, str], tmp_path: Path) -> None:
    line, message, old, new = planted
    assert old in BICEP
    found = check(tmp_path, BICEP.replace(old, new))
    assert [(item.path, item.line) for item in found if message in item.message] == [("main.bicep", line)], found
