/** 100 frames, 40 of the router: 40 messages in topic `router`, as JSON with the frame's fields; a copy adds none. */
import assert from 'node:assert/strict'
import { startClusterDrain, type DrainRecord } from '../../../packages/millrace/src/drain/index.ts'
import { scenario } from '../../harness/scenario.ts'
import { appFrame, postBody, routerFrame } from '../../integration/drain/logplex-body.ts'

await scenario(
  { topics: { router: { partitions: 1 }, logs: { partitions: 1 } } },
  async ({ client, topic, log }) => {
    await using drain = await startClusterDrain({
      client,
      port: 0,
      topics: { router: topic('router'), logs: topic('logs'), unreadable: null },
    })
    const frames = Array.from({ length: 100 }, (_, index) =>
      index % 5 < 2 ? routerFrame({ path: `/${index}` }) : appFrame(`line ${index}`),
    )
    for (let copy = 0; copy < 3; copy++) await postBody(drain.url, frames.join(''), 'A'.repeat(32))

    const { records } = await log('router')
    assert.equal(records.length, 40)
    assert.equal((await log('logs')).records.length, 60)
    for (const { key, value } of records) {
      const record = JSON.parse(String(value)) as DrainRecord
      assert.deepEqual(Object.keys(record).slice(0, 9), [
        'prival',
        'version',
        'timestamp',
        'hostname',
        'app_name',
        'procid',
        'msgid',
        'structured_data',
        'msg',
      ])
      assert.deepEqual(
        [record.prival, record.version, record.hostname, record.app_name, record.procid],
        [158, 1, 'host', 'heroku', 'router'],
      )
      assert.equal(record.fields?.['request_id'], String(key))
    }
  },
)
