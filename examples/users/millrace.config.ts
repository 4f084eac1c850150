import { defineApp, defineConfig, defineConsumer } from 'millrace'

import { UsersConsumer } from './app/consumers/users-consumer.ts'
import { closeDatabase } from './app/database.ts'
import { UsersResponder } from './app/responders/users-responder.ts'
import { users } from './app/topics.ts'

export default defineConfig({
  clientId: 'tutorial',
  app: defineApp({
    consumers: [
      defineConsumer({
        topic: users,
        group: 'bigger_group',
        backoff: { first: '500ms', max: '10s' },
        use: UsersConsumer,
      }),
    ],
    responders: [UsersResponder],
    hooks: { beforeClose: closeDatabase },
  }),
})
