import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'

import {
  indexOfRequestId,
  startDrain,
  startFeeder,
  startSite,
  type DrainMessage,
  type DrainRecord,
  type LoggedRequest,
} from '../../../packages/millrace/src/drain/index.ts'

const requests: readonly LoggedRequest[] = Array.from({ length: 300 }, (_, index) => ({
  index,
  client: '203.0.113.9',
  timeMs: index,
  method: index % 50 === 0 ? 'HEAD' : 'GET',
  path: `/page/${index % 7}?i=${index}`,
  status: index % 10 === 0 ? 404 : 200,
  bytes: 100 + index,
}))

const indexesOf = (sent: readonly DrainMessage[]): number[] =>
  sent.map(({ value }) => {
    const { fields } = JSON.parse(String(value)) as DrainRecord
    return indexOfRequestId(String(fields?.['request_id'])) ?? -1
  })

const nothing = (): void => undefined

it('feeds each request once, however often the feeder is killed, and site and drain start anew', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-feeder-'))
  const accessLog = join(folder, 'access.log')
  const sent: DrainMessage[] = []
  let onSent = nothing
  const producer = {
    send(message: DrainMessage) {
      sent.push(message)
      onSent()
      return Promise.resolve()
    },
  }
  async function* history() {
    for (const { headers } of sent) {
      yield { headers: headers.map(([name, value]) => [name, Buffer.from(value)] as const) }
    }
  }
  try {
    let site = await startSite({ requests, accessLog })
    let drain = await startDrain({ port: 0, producer })
    const { port: sitePort } = site
    const { port: drainPort } = drain
    const target = { requests, site: site.url, drain: drain.url, folder }
    let kills = 0
    for (let isDone = false; !isDone;) {
      const child = spawn(
        process.execPath,
        [join(import.meta.dirname, 'feeder-child.ts'), JSON.stringify(target)],
        { stdio: 'inherit' },
      )
      const exited = once(child, 'exit')
      const killAt = sent.length + 40
      onSent = () => {
        if (sent.length === killAt) child.kill('SIGKILL')
      }
      const [code] = (await exited) as [number | null]
      isDone = code === 0
      if (isDone) break
      kills++
      // What a kill leaves behind: the last line cut short. And the others come back from their own files.
      if (kills === 2) await appendFile(join(folder, 'feeder.journal'), '{"kind":"line","ind')
      await site.stop()
      await appendFile(accessLog, '203.0.113.9 - - [24/Nov')
      site = await startSite({ requests, accessLog, port: sitePort })
      await drain.stop()
      drain = await startDrain({ port: drainPort, producer, history })
    }
    assert.ok(kills >= 3, `killed ${kills} times`)
    const all = requests.map(({ index }) => index)
    assert.deepEqual(
      indexesOf(sent).toSorted((left, right) => left - right),
      all,
    )
    assert.equal(site.logged, 300)
    const log = (await readFile(accessLog, 'utf8')).trimEnd().split('\n')
    assert.equal(log.length, 300, 'one line a request')

    const again = await startFeeder({ ...target, speed: Number.POSITIVE_INFINITY })
    await again.done
    assert.deepEqual(again.progress, { total: 300, answered: 300, delivered: 300 })
    await again.stop()
    assert.deepEqual([sent.length, site.logged], [300, 300])
    await drain.stop()
    await site.stop()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
