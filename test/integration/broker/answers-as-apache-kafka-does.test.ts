import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { differencesOf } from '../../kafka/differences.ts'
import { differentialScript } from './differential-script.ts'
import { connectRaw } from './raw-client.ts'

/** `node tools/kafka/run.ts test/integration/broker/answers-as-apache-kafka-does.test.ts` sets it. */
const kafka = process.env['MILLRACE_TEST_BROKERS']
const skip = kafka === undefined ? 'needs Apache Kafka: node tools/kafka/run.ts THIS_FILE' : false

/** Meant: smaller segments; what the other broker was configured with; where its defaults come from. */
const meant = [/segment\.bytes/, /file\.delete\.delay\.ms/, /min\.insync\.replicas/]

describe('the embedded broker', { skip, timeout: 120_000 }, () => {
  it('answers one long script, field by field, as Apache Kafka does', async () => {
    const prefix = `diff-${process.pid}-${Date.now() % 100_000}`
    await using broker = await startTestBroker({ options: { autoCreateTopics: false } })
    await using ours = await connectRaw(broker.port)
    const [host, port] = (kafka ?? '').split(':')
    await using theirs = await connectRaw(Number(port), host)
    const there = await differentialScript(theirs, prefix)
    const here = await differentialScript(ours, prefix)
    assert.equal(here.length, there.length)
    const differences = there.flatMap(({ what, answer }, index) =>
      differencesOf(inOrder(answer), inOrder(here[index]?.answer)).map((one) => `${what}: ${one}`),
    )
    assert.deepEqual(differences, [])
  })
})

/** Lists in one order, and configs without those that are meant to differ. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value
      .map(inOrder)
      .filter((one) => !isMeant(one))
      .toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, inOrder(inner)]))
}

function isMeant(row: unknown): boolean {
  const name = (row as { readonly name?: unknown } | null)?.name
  return typeof name === 'string' && meant.some((one) => one.test(name))
}
