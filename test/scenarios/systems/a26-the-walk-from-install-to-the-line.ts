/**
 * The walk of the tutorial on a cluster: install, define `users`, start, call the responder from a console, see the line.
 * (With `millrace dev` instead of a cluster it is `examples/users`.) A28: it needs no setting but broker and client id, and
 * `millrace config` says what each of the others is for.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCli, startCli } from '../../integration/cli/run-cli.ts'
import { makeReaderFolder } from '../../integration/docs/reader-folder.ts'
import { scenario } from '../../harness/scenario.ts'

const files: Readonly<Record<string, string>> = {
  'app/topics.ts': `import { defineTopic } from 'millrace'
export interface UserEvent { readonly event_name: string; readonly payload: { readonly user_id: number } }
export const users = defineTopic<UserEvent>('users')
`,
  'app/consumers/users-consumer.ts': `import type { users } from '../topics.ts'
import { ApplicationConsumer } from './application-consumer.ts'
export class UsersConsumer extends ApplicationConsumer<typeof users> {
  consume(): void {
    console.log('user', this.message.value.payload.user_id, 'of', this.topic.name)
  }
}
`,
  'app/responders/users-responder.ts': `import { users, type UserEvent } from '../topics.ts'
import { ApplicationResponder } from './application-responder.ts'
export class UsersResponder extends ApplicationResponder<{ users: typeof users }> {
  static override readonly topics = { users }
  respond(event: UserEvent): void { this.respondTo('users', event) }
}
`,
}

await scenario({ topics: { users: {} } }, async ({ engine, topic, group, until }) => {
  await using folder = await makeReaderFolder()
  const options = { cwd: folder.path, env: { KAFKA_URL: engine.address } }
  assert.equal((await runCli(['install'], options)).code, 0)
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder.path, path), text)
  const boot = join(folder.path, 'millrace.config.ts')
  const written = await readFile(boot, 'utf8')
  await writeFile(
    boot,
    `import { UsersConsumer } from './app/consumers/users-consumer.ts'
import { UsersResponder } from './app/responders/users-responder.ts'
import { users } from './app/topics.ts'
${written}`
      .replace("from 'millrace'", ", defineConsumer } from 'millrace'")
      .replace(' } , defineConsumer', ', defineConsumer')
      .replace(
        'consumers: []',
        "consumers: [defineConsumer({ topic: users, group: 'bigger_group', use: UsersConsumer })]",
      )
      .replace('responders: []', 'responders: [UsersResponder]')
      // Names of this run alone; nothing else is set.
      .replace(
        'app: defineApp',
        `topicName: () => '${topic('users')}',\n  groupId: () => '${group('bigger')}',\n  app: defineApp`,
      ),
  )
  await using worker = startCli(['worker'], options)
  await until(
    'it has joined',
    () => /assigned users/.test(worker.stdout) || worker.child.exitCode !== null,
    {
      lastSeen: () => worker.stdout + worker.stderr,
    },
  )

  const said = await runCli(['console'], {
    ...options,
    input: "await UsersResponder.call({ event_name: 'user_created', payload: { user_id: 1 } })\n",
  })
  assert.equal(said.code, 0, said.stdout + said.stderr)
  assert.match(
    said.stdout,
    new RegExp(`^Appended 1 message to \\S+/0:0 on \\S+:\\d+ \\(node \\d+\\)$`, 'm'),
  )
  assert.match(said.stdout, /"user_id":1\}\}',\s+\{ topic: 'users' \}/)
  await until('the line is there', () => worker.stdout.includes('user 1 of users'), {
    lastSeen: () => worker.stdout + worker.stderr,
  })
  worker.child.kill('SIGTERM')
  assert.equal((await worker.ended).code, 0)

  const { stdout } = await runCli(['config', '--json'], options)
  const rows = JSON.parse(stdout) as readonly { readonly option: string; readonly about: string }[]
  assert.ok(rows.length > 40)
  for (const { option, about } of rows) assert.ok(about.length > 10, `${option} is explained`)
})
