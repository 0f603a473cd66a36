/**
 * Shareable test events, where `sam remote test-event` keeps them as well: one schema a function, one example an event.
 * AWS: Lambda developer guide, "Testing Lambda functions in the console"; EventBridge Schemas API.
 */

import {
  CreateRegistryCommand,
  CreateSchemaCommand,
  DeleteSchemaCommand,
  DescribeSchemaCommand,
  type SchemasClient,
  UpdateSchemaCommand,
} from '@aws-sdk/client-schemas';
import type { TestEvent } from './events.ts';

const REGISTRY = 'lambda-testevent-schemas';
const schemaOf = (functionName: string) => `_${functionName}-schema`;

interface Document {
  components?: { examples?: Record<string, { value: unknown }> };
}

async function describe(schemas: SchemasClient, functionName: string): Promise<Document | undefined> {
  try {
    const found = await schemas.send(
      new DescribeSchemaCommand({ RegistryName: REGISTRY, SchemaName: schemaOf(functionName) }),
    );
    return JSON.parse(found.Content ?? '{}') as Document;
  } catch (error) {
    if (error instanceof Error && error.name === 'NotFoundException') return undefined;
    throw error;
  }
}

export async function sharedEvents(schemas: SchemasClient, functionName: string): Promise<TestEvent[]> {
  const document = await describe(schemas, functionName);
  return Object.entries(document?.components?.examples ?? {}).map(([name, { value }]) => ({
    name,
    text: JSON.stringify(value, null, 2),
  }));
}

export async function shareEvent(schemas: SchemasClient, functionName: string, event: TestEvent): Promise<void> {
  const known = await sharedEvents(schemas, functionName);
  await write(schemas, functionName, known.length > 0, [...known.filter(({ name }) => name !== event.name), event]);
}

export async function unshareEvent(schemas: SchemasClient, functionName: string, name: string): Promise<void> {
  const left = (await sharedEvents(schemas, functionName)).filter((event) => event.name !== name);
  if (left.length > 0) await write(schemas, functionName, true, left);
  else await schemas.send(new DeleteSchemaCommand({ RegistryName: REGISTRY, SchemaName: schemaOf(functionName) }));
}

async function write(schemas: SchemasClient, functionName: string, exists: boolean, events: TestEvent[]) {
  const Content = JSON.stringify({
    openapi: '3.0.0',
    info: { version: '1.0.0', title: 'Event' },
    paths: {},
    components: {
      schemas: { Event: { type: 'object', required: [], properties: {} } },
      examples: Object.fromEntries(events.map(({ name, text }) => [name, { value: JSON.parse(text) }])),
    },
  });
  const schema = { RegistryName: REGISTRY, SchemaName: schemaOf(functionName), Type: 'OpenApi3' as const, Content };
  if (exists) {
    await schemas.send(new UpdateSchemaCommand(schema));
    return;
  }
  try {
    await schemas.send(new CreateRegistryCommand({ RegistryName: REGISTRY }));
  } catch (error) {
    // Somebody shared an event of another function before.
    if (!(error instanceof Error) || error.name !== 'ConflictException') throw error;
  }
  await schemas.send(new CreateSchemaCommand(schema));
}
