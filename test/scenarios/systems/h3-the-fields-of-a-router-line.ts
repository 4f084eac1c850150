/** The published line gives GET, `/haiwen/seafile`, 0 ms, 166 ms, 200, 36360; a line of today gives all of its fields. */
import assert from 'node:assert/strict'
import { startClusterDrain, type DrainRecord } from '../../../packages/millrace/src/drain/index.ts'
import { scenario } from '../../harness/scenario.ts'
import { frameOf, postBody } from '../../integration/drain/logplex-body.ts'

const head = '<158>1 2016-05-04T08:33:23.222253+00:00 host heroku router - '
const published =
  'at=info method=GET path="/haiwen/seafile" host=changelog.example request_id=9e6b5d0f-0000-4000-8000-000000000000 fwd="203.0.113.7" dyno=web.1 connect=0ms service=166ms status=200 bytes=36360\n'
const today =
  'sock=client at=warning code=H27 desc="Client Request Interrupted" method=POST path="/a?b=c d" host=shop.example request_id=r fwd="198.51.100.1, 203.0.113.7" dyno=web.2 connect=1ms service=30001ms status=499 bytes=0 protocol=http2.0 tls=true tls_version=tls1.3\n'

await scenario({ topics: { router: { partitions: 1 } } }, async ({ client, topic, log }) => {
  await using drain = await startClusterDrain({
    client,
    port: 0,
    topics: { router: topic('router'), logs: null, unreadable: null },
  })
  await postBody(drain.url, frameOf(head + published) + frameOf(head + today))

  const { records } = await log('router')
  const [first, second] = records.map(
    ({ value }) => (JSON.parse(String(value)) as DrainRecord).fields,
  )
  assert.deepEqual(first, {
    at: 'info',
    method: 'GET',
    path: '/haiwen/seafile',
    host: 'changelog.example',
    request_id: '9e6b5d0f-0000-4000-8000-000000000000',
    fwd: '203.0.113.7',
    dyno: 'web.1',
    connect_ms: 0,
    service_ms: 166,
    status: 200,
    bytes: 36_360,
    complete: true,
    ambiguous: false,
  })
  assert.deepEqual(second, {
    sock: 'client',
    at: 'warning',
    code: 'H27',
    desc: 'Client Request Interrupted',
    method: 'POST',
    path: '/a?b=c d',
    host: 'shop.example',
    request_id: 'r',
    fwd: '198.51.100.1, 203.0.113.7',
    dyno: 'web.2',
    connect_ms: 1,
    service_ms: 30_001,
    status: 499,
    bytes: 0,
    protocol: 'http2.0',
    tls: true,
    tls_version: 'tls1.3',
    complete: true,
    ambiguous: false,
  })
})
