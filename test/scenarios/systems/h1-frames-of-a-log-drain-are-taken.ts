/**
 * A POST of octet-counted frames, almost RFC 5424, several in a body. The two published frames are taken although
 * each is a byte short: alone, joined by a line end, and glued together.
 */
import assert from 'node:assert/strict'
import { startClusterDrain } from '../../../packages/millrace/src/drain/index.ts'
import { scenario } from '../../harness/scenario.ts'
import { postBody } from '../../integration/drain/logplex-body.ts'

const published = [
  '83 <40>1 2012-11-30T06:45:29+00:00 host app web.3 - State changed from starting to up',
  '119 <40>1 2012-11-30T06:45:26+00:00 host app web.3 - Starting process with command `bundle exec rackup config.ru -p 24405`',
] as const
const texts = [
  'State changed from starting to up',
  'Starting process with command `bundle exec rackup config.ru -p 24405`',
] as const

await scenario({ topics: { logs: { partitions: 1 } } }, async ({ client, topic, log }) => {
  await using drain = await startClusterDrain({
    client,
    port: 0,
    topics: { router: null, logs: topic('logs'), unreadable: null },
  })
  const bodies = [...published, published.join('\n'), published.join('')]
  for (const body of bodies) await postBody(drain.url, body)

  const { records } = await log('logs')
  const values = records.map(
    ({ value }) => JSON.parse(String(value)) as { readonly msg: string; readonly procid: string },
  )
  assert.deepEqual(
    values.map(({ msg }) => msg.trimEnd()),
    [texts[0], texts[1], ...texts, ...texts],
  )
  assert.ok(values.every(({ procid }) => procid === 'web.3'))
  assert.equal(drain.counts().total.unreadable, 0)
})
