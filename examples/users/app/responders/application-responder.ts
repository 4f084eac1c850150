import { ApplicationResponder as Responder, type AnyTopic, type ResponderTopic } from 'millrace'

/** What all responders of this application have in common. */
export abstract class ApplicationResponder<
  Topics extends Readonly<Record<string, AnyTopic | ResponderTopic>> = Readonly<
    Record<string, AnyTopic | ResponderTopic>
  >,
> extends Responder<Topics> {}
