export { openStreamsPart } from './open-streams-part.ts'
