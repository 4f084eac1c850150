import type { Project } from './read-project.ts'

/** A file of the application, by its path from the folder. */
export interface NewFile {
  readonly path: string
  readonly text: string
}

/** The boot file and the two classes that the application's consumers and responders extend. */
export function bootFiles({ clientId, isCommonJs }: Project): readonly NewFile[] {
  const extension = isCommonJs ? '.mts' : '.ts'
  return [
    { path: `millrace.config${extension}`, text: bootFile(clientId) },
    { path: `app/consumers/application-consumer${extension}`, text: applicationConsumer },
    { path: `app/responders/application-responder${extension}`, text: applicationResponder },
  ]
}

const bootFile = (clientId: string): string => `import { defineApp, defineConfig } from 'millrace'

/** The boot file: \`millrace\` and your web process both start from it. \`millrace config\` explains every setting. */
export default defineConfig({
  clientId: '${clientId}',
  app: defineApp({
    topics: [],
    consumers: [],
    responders: [],
  }),
})
`

const applicationConsumer = `import { Consumer, type AnyTopic, type Topic } from 'millrace'

/**
 * What all consumers of this application have in common.
 *
 * @example
 * class UsersConsumer extends ApplicationConsumer<typeof users> {
 *   async consume() {
 *     await createUser(this.message.value)
 *   }
 * }
 */
export abstract class ApplicationConsumer<
  T extends AnyTopic = Topic,
  Mode extends 'each' | 'batch' = 'each',
> extends Consumer<T, Mode> {}
`

const applicationResponder = `import { ApplicationResponder as Responder, type AnyTopic, type ResponderTopic } from 'millrace'

/**
 * What all responders of this application have in common.
 *
 * @example
 * class UsersResponder extends ApplicationResponder<{ users: typeof users }> {
 *   static override readonly topics = { users }
 *   respond(event: UserEvent) {
 *     this.respondTo('users', event)
 *   }
 * }
 */
export abstract class ApplicationResponder<
  Topics extends Readonly<Record<string, AnyTopic | ResponderTopic>> = Readonly<
    Record<string, AnyTopic | ResponderTopic>
  >,
> extends Responder<Topics> {}
`
