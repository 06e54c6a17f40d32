// ONNX models built in code: ORT runs nothing but models, and a file in the repository could not be read or reviewed.
import protobuf from 'protobufjs';

/** One operator of a graph. Attributes are whole numbers, or lists of them: the operators used here take no others. */
export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: 'float32' | 'int32' | 'int64';
  /** A name stands for any size. */
  readonly shape: readonly (number | string)[];
}

/** Parameters of a model: float32. */
export interface OnnxConstant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly constants?: readonly OnnxConstant[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

// The part of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto that such models need.
const { root } = protobuf.parse(
  `
  syntax = "proto2";
  package onnx;
  message AttributeProto {
    optional string name = 1; optional int64 i = 3; repeated int64 ints = 8; optional int32 type = 20;
  }
  message NodeProto {
    repeated string input = 1; repeated string output = 2; optional string op_type = 4;
    repeated AttributeProto attribute = 5;
  }
  message TensorProto {
    repeated int64 dims = 1; optional int32 data_type = 2; repeated float float_data = 4 [packed = true];
    optional string name = 8;
  }
  message Dimension { optional int64 dim_value = 1; optional string dim_param = 2; }
  message TensorShapeProto { repeated Dimension dim = 1; }
  message TensorType { optional int32 elem_type = 1; optional TensorShapeProto shape = 2; }
  message TypeProto { optional TensorType tensor_type = 1; }
  message ValueInfoProto { optional string name = 1; optional TypeProto type = 2; }
  message GraphProto {
    repeated NodeProto node = 1; optional string name = 2; repeated TensorProto initializer = 5;
    repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
  }
  message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }
  message ModelProto {
    optional int64 ir_version = 1; optional GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8;
  }
`,
  { keepCase: true },
);
const ModelProto = root.lookupType('onnx.ModelProto');

const ELEMENT_TYPES = { float32: 1, int32: 6, int64: 7 } as const;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;
const IR_VERSION = 8;
/** The last in which the axes of a reduction are an attribute, not a tensor. */
const OPSET = 17;

/** The bytes of the model. */
export function onnxModel(graph: OnnxGraph): Uint8Array {
  return ModelProto.encode(
    ModelProto.create({
      ir_version: IR_VERSION,
      opset_import: [{ domain: '', version: OPSET }],
      graph: {
        name: 'graph',
        node: graph.nodes.map(({ op, inputs, output, attributes = {} }) => ({
          op_type: op,
          input: inputs,
          output: [output],
          attribute: Object.entries(attributes).map(([name, value]) =>
            typeof value === 'number'
              ? { name, i: value, type: ATTRIBUTE_INT }
              : { name, ints: value, type: ATTRIBUTE_INTS },
          ),
        })),
        initializer: (graph.constants ?? []).map(({ name, shape, values }) => ({
          name,
          dims: shape,
          data_type: ELEMENT_TYPES.float32,
          float_data: Array.from(values),
        })),
        input: graph.inputs.map(valueInfo),
        output: graph.outputs.map(valueInfo),
      },
    }),
  ).finish();
}

function valueInfo({ name, type, shape }: OnnxValue): object {
  return {
    name,
    type: {
      tensor_type: {
        elem_type: ELEMENT_TYPES[type],
        shape: {
          dim: shape.map((size) => (typeof size === 'string' ? { dim_param: size } : { dim_value: size })),
        },
      },
    },
  };
}
