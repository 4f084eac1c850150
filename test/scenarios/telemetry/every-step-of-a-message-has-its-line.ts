/**
 * At debug a run shows each step of a message in its order: appended, fetched, decoded, failed, retried, processed,
 * marked, committed, with the group and its partitions in front; at info, outside of development, what people watch.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { keptLog, scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const users = defineTopic('users')

await scenario({ topics: { users: {} } }, async (scene) => {
  const consumer = defineConsumer({
    name: 'users',
    topic: users,
    group: 'accounts',
    backoff: '20ms',
    commit: { interval: '50ms' },
    each({ value }, { attempt }) {
      if (attempt === 1) throw new TypeError(`${JSON.stringify(value)} is taken`)
    },
  })
  const { start } = scenarioApp(scene, { consumers: [consumer] }, { heartbeat: '50ms' })
  const prefix = `[${scene.group('accounts')}] {${scene.topic('users')}: 0} `
  const { topic } = scene

  const run = async (level: string, next: number): Promise<readonly string[]> => {
    const { lines, logger } = keptLog()
    scene.watch(level, () => lines.map((line) => `${line.level} ${line.text}`))
    {
      await using worker = await start({ log: logger, flags: { 'log.level': level } })
      const heard = (text: string): boolean => lines.some((line) => line.text.includes(text))
      await worker.producer.send(users, { value: 'ada' })
      await scene.until('it is committed', () => heard(`Committed ${topic('users')}/0:${next}`))
      if (level === 'debug') await scene.until('the member beats', () => heard('Heartbeat'))
    }
    return lines.map((line) => `${line.level} ${line.text}`.replaceAll(topic('users'), 'users'))
  }
  const shown = prefix.replaceAll(topic('users'), 'users')
  const at = (lines: readonly string[], text: string): number => {
    const index = lines.findIndex((line) => line.startsWith(text))
    assert.ok(index >= 0, `${text} is among\n${lines.join('\n')}`)
    return index
  }

  const all = await run('debug', 1)
  const steps = [
    'debug Appended 1 message to users/0:0 on ',
    'debug Fetched 1 message from ',
    `debug Decoded users/0:0 in `,
    `error ${shown}users failed on users/0 at offset 0, attempt 1, next in 20 ms -- TypeError: "ada" is taken`,
    `info ${shown}Retrying users on users/0 from offset 0, attempt 2`,
    `info ${shown}users processed 1 message of users/0:0 in `,
    `debug ${shown}Marked users/0:0`,
    `info ${shown}Committed users/0:1`,
  ].map((text) => at(all, text))
  // The broker may serve a fetch before the answer to the producer is read.
  const [appended = 0, fetched = 0, ...others] = steps
  const first = others[0] ?? 0
  assert.ok(appended < first && fetched < first, 'both come before the message is decoded')
  assert.deepEqual(
    others,
    others.toSorted((left, right) => left - right),
  )
  at(all, `debug ${shown}Heartbeat, generation `)
  at(all, `info ${shown}Joined as `)

  const usual = await run('info', 2)
  assert.ok(usual.every((line) => !line.startsWith('debug')))
  assert.deepEqual(
    usual.filter((line) => !/Joined as|Worker \d+/.test(line)),
    [
      `error ${shown}users failed on users/0 at offset 1, attempt 1, next in 20 ms -- TypeError: "ada" is taken`,
      `info ${shown}Retrying users on users/0 from offset 1, attempt 2`,
      ...usual.filter((line) => line.includes('processed 1 message of users/0:1 in')),
      `info ${shown}Committed users/0:2`,
    ],
  )
})
