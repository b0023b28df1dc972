// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev The one thing that is asked of the registry.
interface IIdentityRegistry {
    function identityOwner(address identity) external view returns (address);
}

/// @title What has an identity said, and since when: digests, the newest state of things that change, accreditations
/// @notice Everything is filed under the identity that says it, and only the identity's owner in the registry can say it:
/// there is no owner of the contract, no upgrade and no pause. Nothing here can be taken back or moved to an earlier
/// time. Digests only: whoever writes must see to it that no digest can be guessed from personal data.
/// @dev A subject or type is the hash of a name. Each answer fits one storage slot (a head two) for storage proofs.
/// A later deactivation leaves what was said in place: readers ask the registry whether the identity still stands.
contract TrustAnchor {
    /// @dev One slot: when a digest was anchored first.
    struct Stamp {
        uint64 blockNumber;
        uint64 time;
    }

    /// @dev Two slots: the digest, and then the rest.
    struct Head {
        bytes32 digest;
        uint64 number;
        uint64 blockNumber;
        uint64 time;
    }

    /// @dev One slot. It stands at a time t when grantedAt <= t < until; withdrawing sets `until` to that moment.
    struct Accreditation {
        uint8 rights;
        bool withdrawn;
        uint64 until;
        uint64 grantedAt;
        uint64 blockNumber;
    }

    error NoRegistry(address registry);
    error Deactivated(address identity);
    error NotOwner(address identity, address sender);
    error ZeroDigest();
    error NothingToAnchor();
    error AlreadyAnchored(address identity, bytes32 digest);
    error NotNewer(address identity, bytes32 subject, uint64 number, uint64 newest);
    error ZeroSubject();
    error UnknownRights(uint8 rights);
    error AlreadyOver(uint64 until);
    error NotAccredited(address accreditor, address subject, bytes32 typeHash);

    event Anchored(address indexed identity, bytes32 indexed digest);
    event HeadSet(address indexed identity, bytes32 indexed subject, bytes32 digest, uint64 number);
    event Accredited(
        address indexed accreditor, address indexed subject, bytes32 indexed typeHash, uint8 rights, uint64 until
    );
    event Withdrawn(address indexed accreditor, address indexed subject, bytes32 indexed typeHash);

    /// @notice May issue credentials of the type.
    uint8 public constant MAY_ISSUE = 1;
    /// @notice May accredit others for the type.
    uint8 public constant MAY_ACCREDIT = 2;

    /// @notice The registry that says who owns an identity.
    IIdentityRegistry public immutable registry;

    /// @notice When was this digest first anchored by this identity? Zeros if never.
    mapping(address identity => mapping(bytes32 digest => Stamp)) public anchored;

    /// @notice The newest state that this identity stated of this subject. Zeros if none.
    mapping(address identity => mapping(bytes32 subject => Head)) public heads;

    /// @notice What this accreditor lets this subject do with this type. Zeros if never anything.
    mapping(address accreditor => mapping(address subject => mapping(bytes32 typeHash => Accreditation))) public
        accreditations;

    /// @dev Refuses an address at which no registry answers: an unused identity is its own owner.
    constructor(IIdentityRegistry registry_) {
        address place = address(registry_);
        if (place.code.length == 0 || registry_.identityOwner(place) != place) revert NoRegistry(place);
        registry = registry_;
    }

    /// @notice State a digest, such as the root of a Merkle tree. Once only: the first time is what counts.
    function anchor(address identity, bytes32 digest) external {
        _byOwner(identity);
        _anchor(identity, digest);
    }

    /// @notice State several digests: all or none.
    function anchorMany(address identity, bytes32[] calldata digests) external {
        _byOwner(identity);
        if (digests.length == 0) revert NothingToAnchor();
        for (uint256 i = 0; i < digests.length; ++i) {
            _anchor(identity, digests[i]);
        }
    }

    /// @notice State the newest state of something that changes, such as a status list or the log of a did:webvh.
    /// `number` must be higher than the last one, so nothing goes back.
    function setHead(address identity, bytes32 subject, bytes32 digest, uint64 number) external {
        _byOwner(identity);
        if (digest == bytes32(0)) revert ZeroDigest();
        Head storage head = heads[identity][subject];
        if (number <= head.number) revert NotNewer(identity, subject, number, head.number);
        head.digest = digest;
        head.number = number;
        head.blockNumber = uint64(block.number);
        head.time = uint64(block.timestamp);
        emit HeadSet(identity, subject, digest, number);
    }

    /// @notice Let `subject` issue credentials of a type, accredit others for it, or both, until a moment.
    /// Granting no more than what stands already keeps its beginning: it is prolonged, shortened or narrowed.
    function accredit(address accreditor, address subject, bytes32 typeHash, uint8 rights, uint64 until)
        external
    {
        _byOwner(accreditor);
        if (subject == address(0)) revert ZeroSubject();
        if (rights == 0 || rights > (MAY_ISSUE | MAY_ACCREDIT)) revert UnknownRights(rights);
        if (until <= block.timestamp) revert AlreadyOver(until);
        Accreditation storage found = accreditations[accreditor][subject][typeHash];
        bool standing = found.until > block.timestamp && (rights & ~found.rights) == 0;
        accreditations[accreditor][subject][typeHash] = Accreditation({
            rights: rights,
            withdrawn: false,
            until: until,
            grantedAt: standing ? found.grantedAt : uint64(block.timestamp),
            blockNumber: uint64(block.number)
        });
        emit Accredited(accreditor, subject, typeHash, rights, until);
    }

    /// @notice End an accreditation now. What was issued under it before remains issued under it.
    function withdraw(address accreditor, address subject, bytes32 typeHash) external {
        _byOwner(accreditor);
        Accreditation storage found = accreditations[accreditor][subject][typeHash];
        if (found.until <= block.timestamp) revert NotAccredited(accreditor, subject, typeHash);
        found.withdrawn = true;
        found.until = uint64(block.timestamp);
        found.blockNumber = uint64(block.number);
        emit Withdrawn(accreditor, subject, typeHash);
    }

    function _byOwner(address identity) private view {
        address owner = registry.identityOwner(identity);
        if (owner == address(0)) revert Deactivated(identity);
        if (owner != msg.sender) revert NotOwner(identity, msg.sender);
    }

    function _anchor(address identity, bytes32 digest) private {
        if (digest == bytes32(0)) revert ZeroDigest();
        Stamp storage stamp = anchored[identity][digest];
        if (stamp.blockNumber != 0) revert AlreadyAnchored(identity, digest);
        stamp.blockNumber = uint64(block.number);
        stamp.time = uint64(block.timestamp);
        emit Anchored(identity, digest);
    }
}
