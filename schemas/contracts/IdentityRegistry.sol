// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Identities by address: who owns each, which delegates and attributes does it have, and has it ended?
/// @notice Calls and events are those of ERC-1056, so resolvers of did:ethr read this contract as they read any other.
/// Ownerless: there is no upgrade, no pause and no administrator.
/// @dev How it differs from the contract that ERC-1056 deployments run, and why (docs/contracts.md has the list):
/// an identity whose owner was set to zero has ended for ever; signed calls are EIP-712 messages, bound to chain,
/// contract, identity and number of writes; malleable and empty signatures, delegates that are the zero address and
/// validities that overflow are refused. Everything that is known about an identity but its delegates lies in one
/// storage slot, so that one storage proof shows owner, end, last change and number of changes together.
contract IdentityRegistry {
    /// @dev One slot. `owner` zero means the identity itself, unless `ended`. `changes` counts the events ever emitted.
    struct Identity {
        address owner;
        bool ended;
        uint48 changedIn;
        uint40 changes;
    }

    event DIDOwnerChanged(address indexed identity, address owner, uint256 previousChange);

    event DIDDelegateChanged(
        address indexed identity, bytes32 delegateType, address delegate, uint256 validTo, uint256 previousChange
    );

    event DIDAttributeChanged(
        address indexed identity, bytes32 name, bytes value, uint256 validTo, uint256 previousChange
    );

    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant DOMAIN_NAME = keccak256("IdentityRegistry");
    bytes32 private constant DOMAIN_VERSION = keccak256("1");
    bytes32 private constant CHANGE_OWNER = keccak256("ChangeOwner(address identity,address newOwner,uint256 nonce)");
    bytes32 private constant ADD_DELEGATE = keccak256(
        "AddDelegate(address identity,bytes32 delegateType,address delegate,uint256 validity,uint256 nonce)"
    );
    bytes32 private constant REVOKE_DELEGATE =
        keccak256("RevokeDelegate(address identity,bytes32 delegateType,address delegate,uint256 nonce)");
    bytes32 private constant SET_ATTRIBUTE =
        keccak256("SetAttribute(address identity,bytes32 name,bytes value,uint256 validity,uint256 nonce)");
    bytes32 private constant REVOKE_ATTRIBUTE =
        keccak256("RevokeAttribute(address identity,bytes32 name,bytes value,uint256 nonce)");

    /// @dev Half the order of secp256k1: of the two signatures (r, s) and (r, n - s) only the lower one is taken.
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    mapping(address identity => Identity) private _identities;

    /// @notice Until when (seconds since 1970) is `delegate` a delegate? Kept as written: also after the identity ended.
    /// The second key is keccak256(abi.encode(delegateType)), as in ERC-1056 deployments.
    mapping(address identity => mapping(bytes32 delegateTypeHash => mapping(address delegate => uint256 validTo)))
        public delegates;

    // ---- Reading

    /// @notice Who may write about this identity now? Zero once it has ended: nobody, ever again.
    function identityOwner(address identity) public view returns (address) {
        Identity storage found = _identities[identity];
        address owner = found.owner;
        if (owner == address(0) && !found.ended) return identity;
        return owner;
    }

    /// @notice The owner as set by the last `changeOwner`: zero if there was none, and zero if the identity has ended.
    /// Ask `identityOwner` to tell the two apart.
    function owners(address identity) external view returns (address) {
        return _identities[identity].owner;
    }

    /// @notice The block of the identity's last event, zero if it has none: where walking back through events begins.
    function changed(address identity) external view returns (uint256) {
        return _identities[identity].changedIn;
    }

    /// @notice The number that the next signed call about this identity must carry: how many events it has so far.
    /// By identity, not by owner; it rises with every write, signed or not, so no signature outlives the state that
    /// its signer saw.
    function nonce(address identity) external view returns (uint256) {
        return _identities[identity].changes;
    }

    /// @notice Is `delegate` a delegate of this type now? Never so once the identity has ended.
    function validDelegate(address identity, bytes32 delegateType, address delegate) external view returns (bool) {
        if (_identities[identity].ended) return false;
        return delegates[identity][keccak256(abi.encode(delegateType))][delegate] > block.timestamp;
    }

    // ---- Writing, by the owner

    /// @notice Hand the identity to another account, or end it for ever with the zero address.
    function changeOwner(address identity, address newOwner) external {
        _byOwner(identity);
        _changeOwner(identity, newOwner);
    }

    /// @notice Add a delegate for `validity` seconds, or prolong it.
    function addDelegate(address identity, bytes32 delegateType, address delegate, uint256 validity) external {
        _byOwner(identity);
        _setDelegate(identity, delegateType, delegate, _after(validity));
    }

    /// @notice End a delegate's validity now.
    function revokeDelegate(address identity, bytes32 delegateType, address delegate) external {
        _byOwner(identity);
        _setDelegate(identity, delegateType, delegate, block.timestamp);
    }

    /// @notice State an attribute for `validity` seconds. It is public for ever, also after it is revoked.
    function setAttribute(address identity, bytes32 name, bytes calldata value, uint256 validity) external {
        _byOwner(identity);
        _setAttribute(identity, name, value, _after(validity));
    }

    /// @notice End an attribute's validity.
    function revokeAttribute(address identity, bytes32 name, bytes calldata value) external {
        _byOwner(identity);
        _setAttribute(identity, name, value, 0);
    }

    // ---- Writing, by anybody who brings the owner's signature

    /// @notice `changeOwner` with the owner's signature over the EIP-712 message `ChangeOwner`.
    function changeOwnerSigned(address identity, uint8 sigV, bytes32 sigR, bytes32 sigS, address newOwner) external {
        bytes32 message = keccak256(abi.encode(CHANGE_OWNER, identity, newOwner, _identities[identity].changes));
        _bySignature(message, identity, sigV, sigR, sigS);
        _changeOwner(identity, newOwner);
    }

    /// @notice `addDelegate` with the owner's signature over the EIP-712 message `AddDelegate`.
    function addDelegateSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 delegateType,
        address delegate,
        uint256 validity
    ) external {
        bytes32 message = keccak256(
            abi.encode(ADD_DELEGATE, identity, delegateType, delegate, validity, _identities[identity].changes)
        );
        _bySignature(message, identity, sigV, sigR, sigS);
        _setDelegate(identity, delegateType, delegate, _after(validity));
    }

    /// @notice `revokeDelegate` with the owner's signature over the EIP-712 message `RevokeDelegate`.
    function revokeDelegateSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 delegateType,
        address delegate
    ) external {
        bytes32 message =
            keccak256(abi.encode(REVOKE_DELEGATE, identity, delegateType, delegate, _identities[identity].changes));
        _bySignature(message, identity, sigV, sigR, sigS);
        _setDelegate(identity, delegateType, delegate, block.timestamp);
    }

    /// @notice `setAttribute` with the owner's signature over the EIP-712 message `SetAttribute`.
    function setAttributeSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 name,
        bytes calldata value,
        uint256 validity
    ) external {
        _bySignature(_setMessage(identity, name, value, validity), identity, sigV, sigR, sigS);
        _setAttribute(identity, name, value, _after(validity));
    }

    /// @notice `revokeAttribute` with the owner's signature over the EIP-712 message `RevokeAttribute`.
    function revokeAttributeSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 name,
        bytes calldata value
    ) external {
        _bySignature(_revokeMessage(identity, name, value), identity, sigV, sigR, sigS);
        _setAttribute(identity, name, value, 0);
    }

    // ---- What both ways share

    function _changeOwner(address identity, address newOwner) private {
        Identity memory found = _identities[identity];
        _identities[identity] = Identity({
            owner: newOwner,
            ended: newOwner == address(0),
            changedIn: uint48(block.number),
            changes: found.changes + 1
        });
        emit DIDOwnerChanged(identity, newOwner, found.changedIn);
    }

    function _setDelegate(address identity, bytes32 delegateType, address delegate, uint256 validTo) private {
        require(delegate != address(0), "bad_delegate");
        delegates[identity][keccak256(abi.encode(delegateType))][delegate] = validTo;
        emit DIDDelegateChanged(identity, delegateType, delegate, validTo, _changed(identity));
    }

    function _setAttribute(address identity, bytes32 name, bytes calldata value, uint256 validTo) private {
        emit DIDAttributeChanged(identity, name, value, validTo, _changed(identity));
    }

    /// @dev Notes that the identity changes in this block; returns the block of the change before, or zero.
    function _changed(address identity) private returns (uint256) {
        Identity memory found = _identities[identity];
        _identities[identity] = Identity({
            owner: found.owner,
            ended: found.ended,
            changedIn: uint48(block.number),
            changes: found.changes + 1
        });
        return found.changedIn;
    }

    function _byOwner(address identity) private view {
        address owner = identityOwner(identity);
        require(owner != address(0), "deactivated");
        require(msg.sender == owner, "bad_actor");
    }

    /// @dev `ecrecover` answers zero for what is no signature, and no owner that may write is zero.
    function _bySignature(bytes32 message, address identity, uint8 sigV, bytes32 sigR, bytes32 sigS) private view {
        address owner = identityOwner(identity);
        require(owner != address(0), "deactivated");
        require(uint256(sigS) <= HALF_ORDER, "bad_signature");
        bytes32 domain = keccak256(abi.encode(DOMAIN, DOMAIN_NAME, DOMAIN_VERSION, block.chainid, address(this)));
        address signer = ecrecover(keccak256(abi.encodePacked(bytes2(0x1901), domain, message)), sigV, sigR, sigS);
        require(signer == owner, "bad_signature");
    }

    function _setMessage(address identity, bytes32 name, bytes calldata value, uint256 validity)
        private
        view
        returns (bytes32)
    {
        uint256 number = _identities[identity].changes;
        return keccak256(abi.encode(SET_ATTRIBUTE, identity, name, keccak256(value), validity, number));
    }

    function _revokeMessage(address identity, bytes32 name, bytes calldata value) private view returns (bytes32) {
        uint256 number = _identities[identity].changes;
        return keccak256(abi.encode(REVOKE_ATTRIBUTE, identity, name, keccak256(value), number));
    }

    function _after(uint256 validity) private view returns (uint256) {
        require(validity <= type(uint256).max - block.timestamp, "bad_validity");
        return block.timestamp + validity;
    }
}
