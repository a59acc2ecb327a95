import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "../schema.graphql",
  documents: ["src/**/*.graphql", "!src/graphiql/**"],
  generates: {
    "src/api/generated/": {
      preset: "client",
      presetConfig: {
        fragmentMasking: false,
        // The manifest ships in the wheel: the page sends hashes, not documents.
        persistedDocuments: { hashAlgorithm: "sha256" },
      },
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        defaultScalarType: "string",
        strictScalars: false,
      },
    },
  },
  silent: true,
};

export default config;
