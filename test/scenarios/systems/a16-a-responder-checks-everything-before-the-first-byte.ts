/**
 * Several messages to several topics, one of them wrong: an undeclared topic, a required one unused, options that the
 * schema refuses, a value or a size that does not fit. Nothing is sent, not even what came before.
 */
import assert from 'node:assert/strict'
import { z } from 'zod'
import { ApplicationResponder, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const users = defineTopic('users', { value: z.object({ id: z.number(), note: z.string() }) })
const audits = defineTopic('audits')
const mails = defineTopic('mails')
const topics = {
  users,
  audits: { topic: audits, required: false },
  mails: { topic: mails, options: z.object({ key: z.string().startsWith('u') }) },
} as const

class SignUpResponder extends ApplicationResponder<typeof topics> {
  static override readonly topics = topics
  respond({ wrong }: { readonly wrong?: string }): void {
    this.respondTo('audits', { what: 'sign-up' })
    const note = wrong === 'size' ? 'x'.repeat(2_000_000) : ''
    this.respondTo('users', { id: wrong === 'value' ? ('one' as never) : 1, note })
    if (wrong !== 'unused')
      this.respondTo('mails', { to: 'a@b.c' }, { key: wrong === 'options' ? '1' : 'u1' })
    // @ts-expect-error -- the topic is not declared: refused by the compiler, and at run time
    if (wrong === 'undeclared') this.respondTo('elsewhere', {})
  }
}

await scenario({ topics: { users: {}, audits: {}, mails: {} } }, async (scene) => {
  const { start } = scenarioApp(scene, { responders: [SignUpResponder] })
  await using worker = await start()
  assert.equal(worker.state, 'running')
  const counts = (): Promise<number[]> =>
    Promise.all(
      ['users', 'audits', 'mails'].map(async (name) => (await scene.log(name)).records.length),
    )
  const codes = {
    undeclared: 'MR_RESPONDER_TOPIC_UNDECLARED',
    unused: 'MR_RESPONDER_TOPIC_UNUSED',
    options: 'MR_RESPONDER_OPTIONS_REFUSED',
    value: 'MR_APP_SCHEMA_MISMATCH',
    size: 'MR_PRODUCER_MESSAGE_TOO_LARGE',
  }
  for (const [wrong, code] of Object.entries(codes)) {
    await assert.rejects(SignUpResponder.call({ wrong }), { code }, wrong)
    assert.deepEqual(await counts(), [0, 0, 0], `${wrong}: nothing is sent`)
  }
  const responses = await SignUpResponder.call({})
  assert.deepEqual(Object.keys(responses).toSorted(), ['audits', 'mails', 'users'])
  assert.deepEqual(await counts(), [1, 1, 1])
})
