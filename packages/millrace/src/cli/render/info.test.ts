import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { clusterInfoText } from './cluster-info.ts'
import { retentionText, topicInfoText } from './topic-info.ts'

describe('the block of info', () => {
  it('is the one that eyes and scripts know', () => {
    const text = clusterInfoText(
      {
        origin: 'KAFKA_URL',
        name: 'kafka-reticulated-61055',
        createdMs: Date.UTC(2016, 3, 19, 19, 54),
        plan: 'Beta Dev',
        status: 'available',
        version: '0.9.0.0',
        topics: 2,
        consumers: 0,
        applications: 0,
        messagesPerSecond: 0.37,
        bytesInPerSecond: 28,
        bytesOutPerSecond: 12_390,
        groups: 0,
        address: 'localhost:9092',
      },
      false,
    )
    assert.equal(
      text,
      `=== KAFKA_URL
Name: kafka-reticulated-61055
Created: 2016-04-19 19:54 UTC
Plan: Beta Dev
Status: available
Version: 0.9.0.0
Topics: 2 topics (see millrace topics list)
Connections: 0 consumers (0 applications)
Messages: 0.37 messages/s
Traffic: 28 Bytes/s in / 12.1 KB/s out
Groups: 0 groups
Address: localhost:9092`,
    )
  })

  it('leaves out what the engine cannot give, and aligns values on a terminal', () => {
    const text = clusterInfoText(
      {
        origin: 'default',
        name: 'x',
        status: 'available',
        topics: 1,
        consumers: 1,
        applications: 1,
        groups: 1,
        address: 'a:1',
      },
      true,
    )
    assert.equal(
      text,
      `=== default
Name:        x
Status:      available
Topics:      1 topic (see millrace topics list)
Connections: 1 consumer (1 application)
Groups:      1 group
Address:     a:1`,
    )
  })
})

describe('the block of topics info', () => {
  it('is the one that eyes and scripts know', () => {
    const text = topicInfoText(
      {
        origin: 'KAFKA_URL',
        name: 'router',
        messagesInPerSecond: 0,
        bytesInPerSecond: 0,
        bytesOutPerSecond: 21_299,
        partitions: 32,
        replicationFactor: 1,
        isCompacted: false,
        retentionMs: 86_400_000,
      },
      false,
    )
    assert.equal(
      text,
      `=== KAFKA_URL :: router
Producers: 0.0 messages/second (0 Bytes/second) total
Consumers: 20.8 KB/second total
Partitions: 32 partitions
Replication Factor: 1
Compaction: Compaction is disabled for router
Retention: 24 hours`,
    )
  })

  it('gives retention in seconds below an hour, hours below 48, else days', () => {
    assert.equal(retentionText(90_000), '90 seconds')
    assert.equal(retentionText(47 * 3_600_000), '47 hours')
    assert.equal(retentionText(7 * 86_400_000), '7 days')
    assert.equal(retentionText(-1), 'for ever')
  })
})
