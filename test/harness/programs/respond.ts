/** A console: responds once, prints what that returned, and ends by itself. Argument: brokers, topic. */
import {
  ApplicationResponder,
  defineApp,
  defineConfig,
  defineTopic,
} from '../../../packages/millrace/src/app/index.ts'

interface Arguments {
  readonly brokers: readonly string[]
  readonly topic: string
}

const { brokers, topic } = JSON.parse(process.argv[2] ?? '{}') as Arguments
const users = defineTopic('users')

class UsersResponder extends ApplicationResponder<{ users: typeof users }> {
  static override readonly topics = { users }
  respond(event: object): void {
    this.respondTo('users', event)
  }
}

defineConfig({
  brokers,
  clientId: 'console',
  topicName: () => topic,
  app: defineApp({ topics: [users], responders: [UsersResponder] }),
})
const sent = await UsersResponder.call({ event_name: 'user_created', payload: { user_id: 1 } })
process.stdout.write(`${JSON.stringify(sent)}\n`)
